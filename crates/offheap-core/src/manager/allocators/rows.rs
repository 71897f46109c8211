//! What allocators tell of themselves: statistics, rows, memory for views.

use super::ground::Plan;
use super::{Allocator, Isolate, Manager, Registry};
use crate::alloc::arena::Stay;
use crate::alloc::strategy::Usage;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, Ordering, lock};
use crate::raw::bytes::Bytes;
use crate::report::{self, Info};
use crate::tracker::row::Row;
use crate::tracker::state::Owner;
use std::collections::HashMap;

/// An allocator at one moment, in bytes. Exact while nothing runs beside it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct AllocatorStats {
    /// The region.
    pub total: u64,
    /// Held: granted, and what waits behind a grant (ring, arena).
    pub held: u64,
    /// What live grants asked for.
    pub requested: u64,
    /// The rest of the region.
    pub free: u64,
    /// The largest request that would succeed.
    pub largest_free: u64,
    /// Free bytes that cannot be part of the largest request, for where the grants lie.
    pub scattered: u64,
    /// Live grants.
    pub blocks: u64,
    /// Free ranges.
    pub free_blocks: u64,
    /// Of an object pool: allocations that found an idle slot.
    pub hits: u64,
    /// Of an object pool: allocations that had to carve one.
    pub misses: u64,
}

impl Allocator {
    /// How it is used.
    #[must_use]
    pub fn stats(&self, manager: &Manager) -> AllocatorStats {
        let (usage, (out, out_bytes)) = self.sole.without_owner(|| {
            manager.reclaim(&self.ground);
            if let Plan::Ring(ring) = &self.ground.plan {
                self.usage_of_ring(ring, manager)
            } else {
                (self.usage(), (0, 0))
            }
        });
        let counted = self.counters.sum();
        let misses = self.ground.misses() - self.misses_before;
        let is_pool = matches!(self.ground.plan, Plan::ObjectPool(_));
        let (requested, blocks) = match &self.ground.plan {
            Plan::Arena(arena) => (arena.requested(), usage.blocks),
            _ => (counted.live_bytes() + out_bytes, counted.live_blocks() + out),
        };
        AllocatorStats {
            total: self.measures.total,
            held: usage.held,
            requested,
            free: usage.free,
            largest_free: usage.largest_free,
            scattered: usage.scattered,
            blocks,
            free_blocks: usage.free_blocks,
            hits: if is_pool { counted.allocations.saturating_sub(misses) } else { 0 },
            misses,
        }
    }

    /// How the ground is used. What is not cut of an arena's last piece is free: who needs it gets it.
    fn usage(&self) -> Usage {
        let rest = self.rest_bytes();
        let usage = self.ground.usage();
        let rest = rest.min(usage.held); // of another moment
        if rest == 0 {
            return usage;
        }
        let free = usage.free + rest;
        Usage { held: usage.held - rest, free, largest_free: free, free_blocks: 1, ..usage }
    }

    /// A part of the region, for a view.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] when it is not inside.
    pub fn bytes(&self, manager: &Manager, offset: u64, length: u64) -> Result<Bytes<'static>> {
        let total = self.measures.total;
        if offset > total || length > total - offset {
            return Err(Error::new(Code::OutOfRange, offset.saturating_add(length), total));
        }
        let bytes = manager.chunks.atlas.bytes(self.ground.span, offset as usize, length as usize);
        bytes.ok_or(Error::from(Code::Corrupted))
    }

    /// An arena's level generations, by which JavaScript judges its handles; of others nothing.
    #[must_use]
    pub fn generations(&self) -> Option<Bytes<'static>> {
        if let Plan::Arena(arena) = &self.ground.plan { Some(arena.generations()) } else { None }
    }

    /// Checks the strategy's structure. Only while nobody else uses it.
    ///
    /// # Errors
    /// A sentence about the first thing that does not hold.
    pub fn check(&self) -> std::result::Result<(), String> {
        match &self.ground.plan {
            Plan::Arena(arena) => arena.check(),
            plan => plan.strategy().map_or(Ok(()), |strategy| strategy.check()),
        }
    }
}

impl Isolate {
    /// Bytes of an arena's region that were granted in a stay. The operation for which they are asked has begun: they stay
    /// what they are until it is over.
    pub(in super::super) fn bytes_in_arena(
        &self,
        number: u32,
        stay: Stay,
        offset: u64,
        length: u64,
    ) -> Result<Bytes<'static>> {
        let door = self.allocators.borrow();
        let attached = door.attached.get(number as usize).and_then(Option::as_ref);
        let allocator = &attached.ok_or(Error::from(Code::Closed))?.allocator;
        let Plan::Arena(arena) = &allocator.ground.plan else { return Err(Code::ForeignBlock.into()) };
        if allocator.closed.load(Ordering::Acquire) {
            return Err(Code::Closed.into());
        }
        if !arena.is_live(stay) {
            return Err(Code::UseAfterFree.into());
        }
        allocator.bytes(self.manager, offset, length)
    }
}

impl Manager {
    /// Every live allocation, blocks and grants. An arena and a ring are one row each, if anything
    /// of theirs is live: what was asked for, since the last reset or as old as the oldest grant.
    #[must_use]
    pub fn rows(&self) -> Vec<Info> {
        let spans = self.allocators.spans();
        let mut rings: HashMap<u32, Info> = HashMap::new();
        let mut rows = Vec::new();
        for info in report::rows(&self.tracker, &self.chunks) {
            if !info.row.place.is_grant() {
                rows.push(info);
                continue;
            }
            let span = info.row.place.span;
            let Some(allocator) = spans.get(&span) else { continue }; // closed a moment ago
            let Some(mut info) = allocator.complete(info) else { continue };
            if matches!(allocator.ground.plan, Plan::Ring(_)) {
                info.address -= info.row.place.offset_bytes(); // the ring's row, not the grant's
                rings.entry(span).and_modify(|ring| join(ring, &info)).or_insert(info);
            } else {
                rows.push(info);
            }
        }
        rows.extend(rings.into_values());
        rows
    }

    /// One live allocation, completed; `None` when its allocator was closed a moment ago.
    #[must_use]
    pub fn row(&self, row: &Row, now_ms: u64) -> Option<Info> {
        let info = report::info(&self.chunks, row, now_ms);
        if row.place.is_grant() {
            self.allocators.of_span(row.place.span)?.complete(info)
        } else {
            Some(info)
        }
    }
}

impl Registry {
    /// The open allocator on a span.
    fn of_span(&self, span: u32) -> Option<Arc<Allocator>> {
        let open = lock(&self.state);
        let found = open.numbers.iter().flatten().find(|allocator| allocator.ground.span.0 == span);
        found.map(Arc::clone)
    }

    /// Open allocators by the span of their ground.
    fn spans(&self) -> HashMap<u32, Arc<Allocator>> {
        self.all().into_iter().map(|allocator| (allocator.ground.span.0, allocator)).collect()
    }
}

impl Allocator {
    /// Adds to a grant's row what the strategy knows; of an arena that holds nothing there is no row.
    fn complete(&self, mut info: Info) -> Option<Info> {
        info.allocator = Some(self.id.number);
        if info.row.owner.kind() == Owner::ARENA {
            let Plan::Arena(arena) = &self.ground.plan else { return None };
            let usage = self.usage();
            info.row.extent.size = arena.requested();
            info.actual_size = usage.held;
            return (usage.blocks > 0).then_some(info);
        }
        let offset = info.row.place.offset_bytes();
        info.actual_size = self.ground.plan.strategy()?.granted(offset)?; // `None`: freed meanwhile
        Some(info)
    }
}

/// Adds a ring's grant to the ring's row, which keeps the oldest one's handle and age.
fn join(ring: &mut Info, other: &Info) {
    let (mut sum, other) = if other.age_ms > ring.age_ms { (*other, *ring) } else { (*ring, *other) };
    sum.row.extent.size += other.row.extent.size;
    sum.row.pins += other.row.pins;
    sum.actual_size += other.actual_size;
    *ring = sum;
}
