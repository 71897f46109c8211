//! The shards and the top under all their locks: for who finds no room, and for who counts.

use super::pages::Pages;
use super::shards::{Held, Shards};
use super::upper::Upper;
use crate::base::sync::{MutexGuard, Ordering};

/// Every lock, held: what is free and does not lie in the words is here, and stays.
pub(super) struct All<'a> {
    pub(super) of: &'a Shards,
    pub(super) top: MutexGuard<'a, Upper>,
    pub(super) each: Vec<Held<'a>>,
}

impl All<'_> {
    /// A block's first page, if need be after joining all that is free; `None` when there is none.
    pub(super) fn take(&mut self, order: u32, pages: &Pages) -> Option<usize> {
        self.take_present(order)
            .or_else(|| {
                self.gather(|shard| pages.vacant.pages(self.of.pages_of(shard)), pages);
                self.take_present(order)
            })
            .or_else(|| {
                self.gather_all(pages); // hints may be lost in a race: look at all
                self.take_present(order)
            })
    }

    fn take_present(&mut self, order: u32) -> Option<usize> {
        let of = self.of;
        if order > of.shift {
            self.raise();
            return Some(of.first(self.top.take(order - of.shift)?));
        }
        let fitting =
            self.each.iter().enumerate().filter_map(|(shard, held)| Some((held.smallest(order)?, shard)));
        let shard = if let Some((_, shard)) = fitting.min() {
            shard
        } else {
            let shard = self.top.take(0)?;
            self.each[shard].put(0, of.shift);
            shard
        };
        Some(of.first(shard) + self.each[shard].take(order)?)
    }

    /// Gathers every page on which nothing is granted, and joins what is free as far as it goes.
    pub(super) fn gather_all(&mut self, pages: &Pages) {
        self.gather(|shard| self.of.pages_of(shard), pages);
        self.raise();
    }

    fn gather<I: Iterator<Item = usize>>(&mut self, from: impl Fn(usize) -> I, pages: &Pages) {
        for (shard, held) in self.each.iter_mut().enumerate() {
            self.of.gather(shard, held, pages, from(shard));
        }
    }

    /// Hands shards of which nothing is taken to the top.
    fn raise(&mut self) {
        for (shard, held) in self.each.iter_mut().enumerate() {
            if held.take(self.of.shift).is_some() {
                self.top.put(shard, 0);
            }
        }
    }

    /// Free pages and free blocks.
    pub(super) fn count(&self) -> (u64, u64) {
        let (shards, blocks) = self.top.count();
        let counts = self.each.iter().map(|held| held.count());
        counts.fold((shards << self.of.shift, blocks), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// The largest free order.
    pub(super) fn largest(&self) -> Option<u32> {
        let top = self.top.largest().map(|order| order + self.of.shift);
        self.each.iter().map(|held| held.largest()).fold(top, Option::max)
    }

    /// Whether a page is free; an error when it is so in two places, or when something else does not hold.
    pub(super) fn free_pages(&self) -> Result<Vec<bool>, String> {
        let mut free = Vec::with_capacity(self.of.pages);
        let whole = self.top.free_units()?;
        for (shard, held) in self.each.iter().enumerate() {
            let mut own = held.free_units().map_err(|wrong| format!("shard {shard}: {wrong}"))?;
            if whole.get(shard).is_some_and(|whole| *whole) {
                if own.contains(&true) {
                    return Err(format!("shard {shard} is free at the top, and so are pages in it"));
                }
                own.fill(true);
            }
            if self.of.all[shard].0.some.load(Ordering::Relaxed) != held.some() {
                return Err(format!("shard {shard} has other free orders than it shows"));
            }
            free.extend(own);
        }
        match (0..free.len()).find(|page| self.of.cold.has(*page) && !free[*page]) {
            Some(page) => Err(format!("page {page} is not free, and has no memory")),
            None if free.len() != self.of.pages => Err(format!("{} pages are in shards", free.len())),
            None => Ok(free),
        }
    }
}
