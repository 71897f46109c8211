//! Hybrid: small requests from a slab, whose spans it borrows from a two-level segregated fit, which
//! serves everything larger itself, however large. All of it can be freed, and what was a slab's span
//! can be part of a large range afterwards. The slab's paths are lock-free, the rest has one lock.
//!
//! What is larger than 4 MiB is a mapping of its own as far as the system is concerned: it has whole pages, which go
//! back as soon as it is freed. It lies in the region all the same, since every view is one over the region.

#[cfg(test)]
mod tests;
mod tlsf;

use super::slab::{CLASS_COUNT, SLOT_MAX, SPAN_BYTES, SPAN_SHIFT, Slab};
use super::strategy::{
    Grant, Strategy, Usage, Verdict, full, never_fits, no_memory, not_granted, outside_largest,
};
use crate::base::error::Result;
use crate::base::sync::{Mutex, MutexGuard, lock};
use crate::raw;
use tlsf::{Tlsf, Use};

/// What one more range takes of the heap, about, in bytes.
const RANGE_BYTES: u64 = 64;
/// Bytes of a unit where a region has many of them.
const UNIT_MAX: u64 = 4096;
/// The largest request that has a class, in bytes: a class is one number of the largest units. Smaller units would make
/// hundreds of classes, of which a region with so few bytes could keep next to nothing.
const CLASSED_MAX: u64 = 64 << 10;
/// The largest request that shares pages and keeps them when it is freed, in bytes.
const SHARED_MAX: u64 = 4 << 20;

/// The strategy.
#[derive(Debug)]
pub struct Hybrid {
    total: u64,
    largest: u64,       // the largest request, bytes
    slot_max: u64,      // the largest one that is the slab's, bytes; 0 without one
    classed_max: u64,   // the largest one above that has a class, bytes; 0 where there is none
    unit: u64,          // of the large ranges, bytes
    alignment: u32,     // of the large ranges, units
    page: u32,          // of the system, units; 1 where a page is less
    slab: Option<Slab>, // none where no span fits, or where no slot has the alignment
    large: Mutex<Tlsf>,
}

/// Bytes of a unit: a page where there are many, little where the region is small.
const fn unit_for(total: u64) -> u64 {
    if total >= 4 << 20 {
        UNIT_MAX
    } else if total >= SPAN_BYTES {
        256
    } else {
        16
    }
}

impl Hybrid {
    /// A hybrid over `[0, total)`; what does not fill a unit at the end is lost.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfRange`] for an alignment above `total`;
    /// [`crate::base::error::Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        Self::with_page(total, alignment, raw::page_size() as u64)
    }

    /// The same, where the system has pages of `page` bytes.
    fn with_page(total: u64, alignment: u64, page: u64) -> Result<Self> {
        let unit = unit_for(total);
        if total < unit || alignment > total {
            return Err(never_fits(alignment.max(unit), total));
        }
        let large = Tlsf::new((total / unit) as u32).ok_or_else(|| no_memory(4 * total / unit))?;
        // Last: what it has is never given back.
        let slab = if total >= SPAN_BYTES && alignment <= SLOT_MAX {
            Some(Slab::without_spans(total, alignment)?)
        } else {
            None
        };
        let large = Mutex::new(large);
        let [alignment, page] = [alignment, page].map(|bytes| (bytes / unit).max(1) as u32);
        let slot_max = slab.as_ref().map_or(0, Slab::largest);
        let classed_max = if unit == UNIT_MAX { CLASSED_MAX } else { 0 };
        let mut hybrid =
            Self { total, largest: 0, slot_max, classed_max, unit, alignment, page, slab, large };
        hybrid.largest = u64::from(hybrid.serves(0, (total / unit) as u32)) * unit;
        Ok(hybrid)
    }

    /// Units and alignment of a large request.
    const fn measures(&self, size: u64) -> (u32, u32) {
        let units = size.div_ceil(self.unit) as u32;
        if size <= SHARED_MAX {
            return (units, self.alignment);
        }
        let alignment = if self.page > self.alignment { self.page } else { self.alignment };
        (units.next_multiple_of(self.page), alignment)
    }

    /// Whether requests of a size are the slab's: it cuts many of them for little more than one.
    #[inline]
    pub const fn has_slots(&self, size: u64) -> bool {
        size <= self.slot_max
    }

    /// The largest request that a free range serves, in units.
    fn serves(&self, offset: u32, size: u32) -> u32 {
        let shared_max = (SHARED_MAX / self.unit) as u32;
        let shared = Tlsf::aligned(offset, size, self.alignment);
        if shared <= shared_max {
            return shared;
        }
        let own = Tlsf::aligned(offset, size, self.alignment.max(self.page)) / self.page * self.page;
        own.max(shared_max)
    }

    /// Lends the slab one more span; false when there is none.
    fn lend(&self, slab: &Slab) -> bool {
        let units = (SPAN_BYTES / self.unit) as u32;
        let mut large = lock(&self.large);
        if !large.reserve() {
            return false;
        }
        let span = large.take(units, units, Use::Span).or_else(|| {
            self.take_spans_back(&mut large);
            large.take(units, units, Use::Span)
        });
        let Some(first) = span else { return false };
        slab.lend(first / units);
        true
    }

    /// Takes back every span in which nothing is live.
    fn take_spans_back(&self, large: &mut MutexGuard<'_, Tlsf>) {
        let units = (SPAN_BYTES / self.unit) as u32;
        if let Some(slab) = &self.slab {
            slab.give_back(|span| {
                large.put(span * units, Use::Span);
            });
        }
    }

    /// A small request: from the slab, which may need one more span. `None` when no span is left.
    #[inline]
    fn take_small(&self, size: u64) -> Option<Grant> {
        let slab = self.slab.as_ref().filter(|slab| size <= slab.largest())?;
        loop {
            if let Some(grant) = slab.try_allocate(size) {
                return Some(grant);
            }
            if !self.lend(slab) {
                return slab.allocate_anywhere(size); // hints may be lost in a race: look at all
            }
        }
    }

    /// As many small requests as are wanted, or as there is room for in spans.
    fn take_many(&self, slab: &Slab, size: u64, count: usize, each: &mut dyn FnMut(Grant)) -> usize {
        let mut given = 0;
        loop {
            given += slab.try_allocate_many(size, count - given, each);
            if given == count || !self.lend(slab) {
                break;
            }
        }
        let lost = (given..count).map_while(|_| slab.allocate_anywhere(size)); // as in `take_small`
        given + lost.map(each).count()
    }

    #[cold]
    fn take_large(&self, size: u64) -> Result<Grant> {
        let (units, alignment) = self.measures(size);
        let mut large = lock(&self.large);
        if !large.reserve() {
            return Err(no_memory(RANGE_BYTES));
        }
        let first = large.take(units, alignment, Use::Grant).or_else(|| {
            self.take_spans_back(&mut large);
            large.take(units, alignment, Use::Grant)
        });
        match first {
            Some(first) => {
                Ok(Grant { offset: u64::from(first) * self.unit, size: u64::from(units) * self.unit })
            }
            None => Err(full(size, self.usage_of(&mut large).largest_free)),
        }
    }

    fn free_large(&self, offset: u64, decommit: &dyn Fn(u64, u64) -> u64) -> Result<u64> {
        let unit = self.unit_at(offset).ok_or_else(not_granted)?;
        let mut large = lock(&self.large);
        let units = large.size_at(unit, Use::Grant).ok_or_else(not_granted)?;
        let size = u64::from(units) * self.unit;
        if size <= SHARED_MAX {
            large.put(unit, Use::Grant);
            return Ok(size);
        }
        large.withdraw(unit);
        drop(large); // the system takes its time: others need not wait
        let is_cold = decommit(offset, size) == size; // else it is for the next trim
        let mut large = lock(&self.large);
        large.put(unit, Use::Leaving);
        if is_cold {
            large.note_cold(unit, units);
        }
        Ok(size)
    }

    /// The unit at which an offset lies, if it lies at one.
    fn unit_at(&self, offset: u64) -> Option<u32> {
        offset.is_multiple_of(self.unit).then(|| u32::try_from(offset / self.unit).ok()).flatten()
    }

    /// The slab, if an offset lies in one of its spans.
    #[inline]
    fn slab_at(&self, offset: u64) -> Option<&Slab> {
        self.slab.as_ref().filter(|slab| slab.has_span(offset))
    }

    fn usage_of(&self, large: &mut MutexGuard<'_, Tlsf>) -> Usage {
        self.take_spans_back(large);
        let (units, ranges, free, largest) = large.count(|offset, size| self.serves(offset, size));
        let mut usage = Usage {
            held: units * self.unit,
            blocks: ranges,
            free_blocks: free,
            largest_free: largest * self.unit,
            ..Usage::default()
        };
        let free = self.total / self.unit * self.unit - usage.held;
        usage.scattered = outside_largest(free, self.largest, usage.largest_free);
        if let Some(slab) = &self.slab {
            let (spans, small) = (slab.spans().count() as u64, slab.usage());
            usage.held = usage.held - spans * SPAN_BYTES + small.held;
            usage.blocks = usage.blocks - spans + small.blocks;
            usage.free_blocks += small.free_blocks;
            usage.scattered += small.scattered; // not even the slab's own largest, as long as its spans are lent
            usage.largest_free = usage.largest_free.max(small.largest_free);
        }
        usage.free = self.total - usage.held;
        usage
    }
}

impl Strategy for Hybrid {
    #[inline]
    fn allocate(&self, size: u64) -> Result<Grant> {
        if size.wrapping_sub(1) >= self.largest {
            return Err(never_fits(size, self.largest));
        }
        match self.take_small(size) {
            Some(grant) => Ok(grant),
            None => self.take_large(size),
        }
    }

    fn allocate_many(&self, size: u64, count: usize, each: &mut dyn FnMut(Grant)) -> usize {
        match self.slab.as_ref().filter(|_| size > 0 && self.has_slots(size)) {
            Some(slab) => self.take_many(slab, size, count, each),
            None => (0..count).map_while(|_| self.allocate(size).ok()).map(each).count(),
        }
    }

    #[inline]
    fn free(&self, offset: u64) -> Result<u64> {
        if let Some(slab) = self.slab_at(offset) {
            return slab.free(offset);
        }
        let unit = self.unit_at(offset).ok_or_else(not_granted)?;
        let units = lock(&self.large).put(unit, Use::Grant).ok_or_else(not_granted)?;
        Ok(u64::from(units) * self.unit)
    }

    #[inline]
    fn free_with(&self, offset: u64, decommit: &dyn Fn(u64, u64) -> u64) -> Result<u64> {
        if let Some(slab) = self.slab_at(offset) {
            return slab.free(offset);
        }
        self.free_large(offset, decommit)
    }

    #[inline]
    fn class_of(&self, size: u64) -> Option<u32> {
        if self.has_slots(size) {
            return self.slab.as_ref()?.class_of(size);
        }
        // Behind the slab's numbers, so that who keeps grants by class has a place for each of both.
        (size <= self.classed_max).then(|| CLASS_COUNT as u32 + size.div_ceil(UNIT_MAX) as u32)
    }

    #[inline]
    fn has_class_at(&self, offset: u64, size: u64) -> bool {
        self.slab_at(offset).is_some() == self.has_slots(size)
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        if let Some(slab) = self.slab_at(offset) {
            return slab.granted(offset);
        }
        let units = lock(&self.large).size_at(self.unit_at(offset)?, Use::Grant)?;
        Some(u64::from(units) * self.unit)
    }

    fn usage(&self) -> Usage {
        self.usage_of(&mut lock(&self.large))
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let page = raw::page_size() as u64;
        let mut large = lock(&self.large);
        self.take_spans_back(&mut large);
        let mut given = 0;
        large.cool(|first, count| {
            let start = (u64::from(first) * self.unit).next_multiple_of(page);
            let end = u64::from(first + count) * self.unit / page * page;
            if end <= start {
                return (first, 0);
            }
            given += decommit(start, end - start);
            ((start / self.unit) as u32, ((end - start) / self.unit) as u32)
        });
        given
    }

    fn check(&self) -> Verdict {
        let large = lock(&self.large);
        large.check()?;
        let Some(slab) = &self.slab else { return Ok(()) };
        slab.check()?;
        let units = (SPAN_BYTES / self.unit) as u32;
        for span in slab.spans() {
            if large.size_at(span * units, Use::Span) != Some(units) {
                return Err(format!("the span at {} is not lent", u64::from(span) << SPAN_SHIFT));
            }
        }
        Ok(())
    }
}
