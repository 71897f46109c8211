//! Buddy: blocks of 64 bytes times a power of two, each at a multiple of its size.
//!
//! 64 smallest blocks share a word (a page, here). Orders 0 to 6 are one compare-exchange on it: an
//! aligned run of clear bits is a free block, so joining needs no work at all (`pages`). Larger orders
//! have bitmaps of free blocks (`upper`) under a lock for each of up to 16 shards (`shards`), those above
//! a shard under one more. A page that is empty again stays with the words, and a shard with its lock,
//! until a larger request, or somebody who counts, wants it: then it goes back up and is joined (`all`).

mod all;
mod cold;
mod hints;
mod pages;
mod runs;
mod shards;
#[cfg(test)]
mod tests;
mod upper;

use super::strategy::{
    Grant, Strategy, Usage, Verdict, full, never_fits, no_memory, not_granted, outside_largest,
};
use crate::base::error::Result;
use crate::base::sync::{AtomicU8, AtomicU64, Mutex, Ordering, lock};
use crate::raw;
use crate::raw::words;
use hints::Hints;
use pages::Pages;
use runs::{free_runs, run, take_run};
use shards::Shards;

/// log2 of the smallest block's bytes.
const MIN_SHIFT: u32 = 6;
/// The order of a whole word, and log2 of a page's bytes.
const PAGE_ORDER: u32 = 6;
const PAGE_SHIFT: u32 = MIN_SHIFT + PAGE_ORDER;
/// Words that a search for a small block looks at before it opens another page.
const LOOKS_MAX: usize = 16;

/// The strategy.
#[derive(Debug)]
pub struct Buddy {
    total: u64,
    min_order: u32,              // the alignment's
    max_order: u32,              // the largest block's
    orders: &'static [AtomicU8], // per smallest block: order + 1 of the grant that starts there
    pages: Pages,
    partial: Hints,                               // pages with some room
    recent: [AtomicU64; PAGE_ORDER as usize + 1], // per order: the page where a block was freed last
    opening: Mutex<()>, // held while a page of the shards is opened for small blocks; before any of their locks
    shards: Shards,
}

impl Buddy {
    /// A buddy over `[0, total)`; what does not fill a smallest block at the end is lost.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfRange`] when not one block of the alignment fits;
    /// [`crate::base::error::Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        let min_order = alignment.max(1 << MIN_SHIFT).trailing_zeros() - MIN_SHIFT;
        let blocks = total >> MIN_SHIFT;
        if blocks == 0 || blocks.ilog2() < min_order {
            return Err(never_fits(1 << (min_order + MIN_SHIFT), total));
        }
        let (pages, whole) = (blocks.div_ceil(64) as usize, (blocks / 64) as usize);
        let bits = pages.div_ceil(64); // words with a bit for each page
        let (words, bytes) = (pages + 3 * bits, blocks as usize);
        let refused = || no_memory((size_of::<AtomicU64>() * words + bytes) as u64);
        let shards = Shards::new(whole).ok_or_else(refused)?;
        // Last: it is never given back.
        let (all, orders) = words::zeroed_u64_and_u8(words, bytes).ok_or_else(refused)?;
        let (used, rest) = all.split_at(pages);
        let (partial, rest) = rest.split_at(bits);
        let (vacant, cold) = rest.split_at(bits);
        for page in &used[..whole] {
            page.store(!0, Ordering::Relaxed);
        }
        let buddy = Self {
            total,
            min_order,
            max_order: blocks.ilog2(),
            orders,
            pages: Pages { used, vacant: Hints::new(vacant) },
            partial: Hints::new(partial),
            recent: std::array::from_fn(|_| AtomicU64::new(0)),
            opening: Mutex::new(()),
            shards: shards.with_cold(cold),
        };
        if pages > whole {
            // The last page is short: what lies past the end is taken for ever.
            used[whole].store(buddy.past_end(), Ordering::Relaxed);
            buddy.partial.set(whole);
        }
        Ok(buddy)
    }

    /// The bits of the last page that lie past the end; 0 when it is whole.
    const fn past_end(&self) -> u64 {
        let rest = (self.total >> MIN_SHIFT) % 64;
        if rest == 0 { 0 } else { !0 << rest }
    }

    const fn largest(&self) -> u64 {
        1 << (self.max_order + MIN_SHIFT)
    }

    /// The order of a request.
    #[inline]
    fn order_for(&self, size: u64) -> u32 {
        (size - 1).checked_ilog2().map_or(0, |log2| (log2 + 1).saturating_sub(MIN_SHIFT)).max(self.min_order)
    }

    #[inline]
    fn grant(&self, block: u64, order: u32) -> Grant {
        self.orders[block as usize].store(order as u8 + 1, Ordering::Release);
        Grant { offset: block << MIN_SHIFT, size: 1 << (order + MIN_SHIFT) }
    }

    /// Takes a block of a small order from a page.
    #[inline]
    fn take(&self, page: usize, order: u32) -> Option<u64> {
        let bit = take_run(&self.pages.used[page], order)?;
        Some(64 * page as u64 + u64::from(bit))
    }

    /// A block of an order up to a page's from the page where one was freed last.
    #[inline]
    fn take_recent(&self, order: u32) -> Option<u64> {
        let page = self.recent[order as usize].load(Ordering::Relaxed) as usize;
        let block = self.take(page, order)?;
        self.partial.set(page); // what is left of it, if it had no grant, is found as before
        Some(block)
    }

    #[cold]
    fn take_elsewhere(&self, order: u32) -> Option<u64> {
        if order == PAGE_ORDER { self.take_page() } else { self.take_small(order) }
    }

    /// A block of an order below a page's.
    fn take_small(&self, order: u32) -> Option<u64> {
        let partly = |page| {
            self.take(page, order).or_else(|| {
                if self.pages.used[page].load(Ordering::Relaxed) != !0 {
                    return None; // room for a smaller one
                }
                self.partial.clear(page);
                let block = self.take(page, order)?;
                self.partial.set(page);
                Some(block)
            })
        };
        if let Some(block) = self.partial.find(LOOKS_MAX, partly) {
            return Some(block);
        }
        let wholly = |page| {
            let block = self.pages.take_vacant(page, run(order))?;
            self.partial.set(page);
            Some(block)
        };
        if let Some(block) = self.pages.vacant.find(usize::MAX, wholly) {
            return Some(block);
        }
        // One at a time: who finds no page then finds room on the pages that others have just opened.
        let opening = lock(&self.opening);
        if let Some(block) = self.take_large(PAGE_ORDER) {
            let page = (block / 64) as usize;
            self.pages.used[page].store(run(order), Ordering::Release);
            self.partial.set(page);
            return Some(block);
        }
        drop(opening);
        (0..self.pages.used.len()).find_map(|page| self.take(page, order))
    }

    /// A whole page.
    fn take_page(&self) -> Option<u64> {
        self.pages
            .vacant
            .find(usize::MAX, |page| self.pages.take_vacant(page, !0))
            .or_else(|| self.take_large(PAGE_ORDER))
    }

    /// A block of whole pages.
    fn take_large(&self, order: u32) -> Option<u64> {
        Some(64 * self.shards.take(order - PAGE_ORDER, &self.pages)? as u64)
    }

    /// Live grants, by what stands at their first blocks. `free`: the pages of `shards`.
    fn count_grants(&self, free: &[bool]) -> u64 {
        let (mut grants, mut page) = (0, 0);
        while page < self.pages.used.len() {
            let (first, mut pages) = (64 * page, 1);
            if self.pages.used[page].load(Ordering::Relaxed) != 0 && !free.get(page).is_some_and(|free| *free)
            {
                for order in &self.orders[first..(first + 64).min(self.orders.len())] {
                    let Some(order) = order.load(Ordering::Relaxed).checked_sub(1) else { continue };
                    grants += 1;
                    pages = pages.max((1 << order) / 64); // a large one covers the pages that follow
                }
            }
            page += pages;
        }
        grants
    }

    #[cold]
    fn full(&self, size: u64) -> crate::base::error::Error {
        full(size, self.figures(false).largest_free)
    }

    /// First block and order of the live grant that starts at an offset.
    #[inline]
    fn granted_at(&self, offset: u64) -> Option<(usize, u32)> {
        let block = usize::try_from(offset >> MIN_SHIFT).ok()?;
        let order = self.orders.get(block)?.load(Ordering::Acquire).checked_sub(1)?;
        offset.is_multiple_of(1 << MIN_SHIFT).then_some((block, u32::from(order)))
    }

    /// How it is used; the number of grants, which takes the longest, on request only.
    fn figures(&self, counts_grants: bool) -> Usage {
        let mut all = self.shards.hold_all();
        all.gather_all(&self.pages);
        let (pages, blocks) = all.count();
        let mut usage = Usage { free: pages << PAGE_SHIFT, free_blocks: blocks, ..Usage::default() };
        let mut largest = all.largest().map(|order| order + PAGE_ORDER);
        for word in self.pages.used {
            let word = word.load(Ordering::Relaxed);
            if word == !0 {
                continue; // most of a full one's
            }
            usage.free += u64::from((!word).count_ones()) << MIN_SHIFT;
            usage.free_blocks += u64::from((!word & (word << 1 | 1)).count_ones());
            largest = largest.max(Self::largest_run(word));
        }
        usage.free += self.total % (1 << MIN_SHIFT);
        usage.largest_free =
            largest.filter(|order| *order >= self.min_order).map_or(0, |order| 1 << (order + MIN_SHIFT));
        if counts_grants {
            usage.blocks = self.count_grants(&all.free_pages().unwrap_or_default());
        }
        usage.held = self.total - usage.free;
        // No block is larger than the largest power of two: an empty forest of several is not scattered.
        usage.scattered = outside_largest(usage.free, self.largest(), usage.largest_free);
        usage
    }

    /// The largest order with a free run in a page's word.
    fn largest_run(word: u64) -> Option<u32> {
        (0..=PAGE_ORDER).rev().find(|order| free_runs(word, *order) != 0)
    }
}

impl Strategy for Buddy {
    #[inline]
    fn allocate(&self, size: u64) -> Result<Grant> {
        if size.wrapping_sub(1) >= self.largest() {
            return Err(never_fits(size, self.largest()));
        }
        let order = self.order_for(size);
        let block = if order > PAGE_ORDER {
            self.take_large(order)
        } else {
            self.take_recent(order).or_else(|| self.take_elsewhere(order))
        };
        block.map(|block| self.grant(block, order)).ok_or_else(|| self.full(size))
    }

    #[inline]
    fn free(&self, offset: u64) -> Result<u64> {
        let (block, order) = self.granted_at(offset).ok_or_else(not_granted)?;
        self.orders[block].store(0, Ordering::Relaxed); // before the block can have its next owner
        let page = block / 64;
        if order > PAGE_ORDER {
            self.shards.put(page, order - PAGE_ORDER);
            return Ok(1 << (order + MIN_SHIFT));
        }
        let bits = run(order) << (block % 64);
        let mut seen = self.pages.used[page].load(Ordering::Relaxed);
        loop {
            if seen & bits != bits {
                return Err(not_granted());
            }
            let left = seen & !bits;
            // Release: what the owner wrote happens before what the next owner does.
            match self.pages.used[page].compare_exchange_weak(seen, left, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if left == 0 => self.pages.vacant.set(page),
                Ok(_) => self.partial.set(page),
                Err(now) => {
                    seen = now;
                    continue;
                }
            }
            let recent = &self.recent[order as usize];
            if recent.load(Ordering::Relaxed) != page as u64 {
                recent.store(page as u64, Ordering::Relaxed); // the next request finds it, still warm, at once
            }
            return Ok(1 << (order + MIN_SHIFT));
        }
    }

    #[inline]
    fn class_of(&self, size: u64) -> Option<u32> {
        (size.wrapping_sub(1) < self.largest()).then(|| self.order_for(size))
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        self.granted_at(offset).map(|(_, order)| 1 << (order + MIN_SHIFT))
    }

    fn usage(&self) -> Usage {
        self.figures(true)
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let system_page = raw::page_size() as u64;
        let mut given = 0;
        self.shards.hold_all().gather_all(&self.pages);
        self.shards.cool(|page, pages| {
            let from = ((page as u64) << PAGE_SHIFT).next_multiple_of(system_page);
            let to = ((page + pages) as u64) << PAGE_SHIFT;
            let to = to / system_page * system_page;
            if to > from {
                given += decommit(from, to - from);
            }
        });
        given
    }

    fn check(&self) -> Verdict {
        let free = self.shards.hold_all().free_pages()?;
        let mut bits = vec![0_u64; self.pages.used.len()];
        for (page, free) in free.iter().enumerate() {
            bits[page] = if *free { !0 } else { 0 };
        }
        if let Some(last) = bits.last_mut() {
            *last |= self.past_end();
        }
        for (block, order) in self.orders.iter().enumerate() {
            let Some(order) = order.load(Ordering::Relaxed).checked_sub(1).map(u32::from) else { continue };
            let own = if order >= PAGE_ORDER { !0 } else { run(order) << (block % 64) };
            for word in &mut bits[block / 64..(block + (1 << order)).div_ceil(64)] {
                if *word & own != 0 {
                    return Err(format!("block {block} of order {order} overlaps another"));
                }
                *word |= own;
            }
        }
        for (page, expected) in bits.iter().enumerate() {
            let word = self.pages.used[page].load(Ordering::Relaxed);
            if word != *expected {
                return Err(format!("page {page} reads {word:x}, its grants are {expected:x}"));
            }
        }
        Ok(())
    }
}
