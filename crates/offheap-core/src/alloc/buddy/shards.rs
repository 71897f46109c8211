//! The orders above a page, in shards: aligned runs of pages with a lock and an `Upper` each. A shard of
//! which nothing is taken is a unit of the one `Upper` at the top, where the orders above a shard are.
//!
//! A thread has a home, the shard that it took from last, and locks that one only. Elsewhere it looks
//! when there is no room at home: first in shards that are broken already and nobody's home, the best
//! fitting first, then it breaks another one off the top, then it looks in the homes of others.
//!
//! Nobody is told that there is no room by what this lock or that showed: only by all locks at once
//! (`all`). What is free may move meanwhile (pages into shards, shards to the top and back), but it
//! moves under the locks of both places, so it is seen in one of them.
//!
//! Lock order: the top, then shards. Who holds a shard waits for no lock unless the top was taken first.

use super::all::All;
use super::cold::Cold;
use super::pages::Pages;
use super::upper::Upper;
use crate::base::lane::{LANES, lane};
use crate::base::sync::{
    AtomicU8, AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, Padded, lock, try_lock,
};
use std::ops::{Deref, DerefMut, Range};

/// Enough that a lock is rarely waited for by as many threads as machines have cores; each may keep one
/// shard from being part of a larger block, so not more.
const SHARDS_MAX: usize = 16;
/// log2 of the least pages of a shard. So no two shards share a word of hints, and a small region, whose
/// larger blocks would be cut up for nothing, has few shards or one.
const SHIFT_MIN: u32 = 6;

/// All orders from a page on. They count from one page here.
#[derive(Debug)]
pub(super) struct Shards {
    pub(super) shift: u32, // log2 of a shard's pages, which is the order of a whole shard
    pub(super) pages: usize,
    pub(super) top: Mutex<Upper>, // a unit is a shard; what is no whole shard at the end is never here
    pub(super) all: Box<[Padded<Shard>]>,
    pub(super) cold: Cold,
    pub(super) homes: [AtomicU8; LANES], // per lane: its shard + 1; 0: none yet
}

/// Some of the pages.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) some: AtomicU32, // what `upper` had when its lock was given up: to look without it
    upper: Mutex<Upper>,
}

/// A shard's lock, held.
#[derive(Debug)]
pub(super) struct Held<'a> {
    some: &'a AtomicU32,
    upper: MutexGuard<'a, Upper>,
}

impl Deref for Held<'_> {
    type Target = Upper;

    fn deref(&self) -> &Upper {
        &self.upper
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Upper {
        &mut self.upper
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.some.store(self.upper.some(), Ordering::Release); // pairs with the Acquire in `search`
    }
}

/// What a home says of a shard.
const fn number(shard: usize) -> u8 {
    shard as u8 + 1
}

impl Shards {
    /// All pages free. `None` without memory. What notes which pages are cold comes later.
    pub(super) fn new(pages: usize) -> Option<Self> {
        let shift = pages.div_ceil(SHARDS_MAX).next_power_of_two().ilog2().max(SHIFT_MIN);
        let (whole, rest) = (pages >> shift, pages & ((1 << shift) - 1));
        let mut uppers = (0..whole).map(|_| Upper::empty(1 << shift)).collect::<Option<Vec<_>>>()?;
        if rest > 0 || whole == 0 {
            uppers.push(Upper::filled(rest)?);
        }
        let shard =
            |upper: Upper| Padded(Shard { some: AtomicU32::new(upper.some()), upper: Mutex::new(upper) });
        Some(Self {
            shift,
            pages,
            top: Mutex::new(Upper::filled(whole)?),
            all: uppers.into_iter().map(shard).collect(),
            cold: Cold::new(&[]),
            homes: std::array::from_fn(|_| AtomicU8::new(0)),
        })
    }

    /// The same with a clear bit for each page.
    pub(super) fn with_cold(self, cold: &'static [AtomicU64]) -> Self {
        Self { cold: Cold::new(cold), ..self }
    }

    /// Takes a block and returns its first page.
    pub(super) fn take(&self, order: u32, pages: &Pages) -> Option<usize> {
        let page = if order > self.shift {
            let shard = lock(&self.top).take(order - self.shift);
            shard.map(|shard| shard << self.shift).or_else(|| self.hold_all().take(order, pages))
        } else {
            let home = &self.homes[lane()];
            let shard = usize::from(home.load(Ordering::Relaxed)).checked_sub(1);
            let page = shard.and_then(|shard| self.take_at_home(shard, order, pages));
            page.or_else(|| self.take_elsewhere(order, pages, home))
        }?;
        self.cold.warm(page, 1 << order);
        Some(page)
    }

    /// Gives a block back. A shard of which nothing is taken any more stays where it is.
    pub(super) fn put(&self, page: usize, order: u32) {
        if order > self.shift {
            lock(&self.top).put(page >> self.shift, order - self.shift);
        } else {
            let shard = page >> self.shift;
            self.hold(shard).put(page - (shard << self.shift), order);
        }
    }

    /// Calls `each` with first page and number of pages of every stretch that is free and has its
    /// pages, under the lock of where it is free. Shards first: what moves meanwhile moves to the top.
    pub(super) fn cool(&self, mut each: impl FnMut(usize, usize)) {
        for shard in 0..self.all.len() {
            let held = self.hold(shard);
            for (page, pages) in held.blocks() {
                self.cold.cool(self.first(shard) + page, pages, &mut each);
            }
        }
        let top = lock(&self.top);
        for (shard, shards) in top.blocks() {
            self.cold.cool(self.first(shard), shards << self.shift, &mut each);
        }
    }

    /// Every lock, in order.
    pub(super) fn hold_all(&self) -> All<'_> {
        let top = lock(&self.top);
        All { of: self, top, each: (0..self.all.len()).map(|shard| self.hold(shard)).collect() }
    }

    pub(super) fn hold(&self, shard: usize) -> Held<'_> {
        let Padded(Shard { some, upper }) = &self.all[shard];
        Held { some, upper: lock(upper) }
    }

    fn try_hold(&self, shard: usize) -> Option<Held<'_>> {
        let Padded(Shard { some, upper }) = &self.all[shard];
        Some(Held { some, upper: try_lock(upper)? })
    }

    /// A shard's first page.
    pub(super) const fn first(&self, shard: usize) -> usize {
        shard << self.shift
    }

    /// A shard's pages.
    pub(super) fn pages_of(&self, shard: usize) -> Range<usize> {
        self.first(shard)..self.first(shard + 1).min(self.pages)
    }

    /// Whose shard is busy waits, as long as it is nobody else's home: somebody frees there, or gives
    /// pages back, and another shard would be broken for that.
    fn take_at_home(&self, shard: usize, order: u32, pages: &Pages) -> Option<usize> {
        let mut held = match self.try_hold(shard) {
            None if self.lanes_at(shard) > 1 => return None,
            None => self.hold(shard),
            Some(held) => held,
        };
        let page = held.take(order).or_else(|| {
            self.gather(shard, &mut held, pages, pages.vacant.pages(self.pages_of(shard)));
            held.take(order)
        })?;
        Some(self.first(shard) + page)
    }

    #[cold]
    fn take_elsewhere(&self, order: u32, pages: &Pages, home: &AtomicU8) -> Option<usize> {
        let page = self
            .search(order, |shard| if self.lanes_at(shard) > 0 { None } else { self.try_hold(shard) })
            .or_else(|| self.break_one(order, home))
            .or_else(|| self.search(order, |shard| self.try_hold(shard)))
            .or_else(|| self.search(order, |shard| Some(self.hold(shard))))
            .or_else(|| self.hold_all().take(order, pages))?;
        home.store(number(page >> self.shift), Ordering::Relaxed);
        Some(page)
    }

    /// A block of the shards that seem to have one, the best fitting first: a whole shard last.
    fn search<'a>(&'a self, order: u32, hold: impl Fn(usize) -> Option<Held<'a>>) -> Option<usize> {
        (order..=self.shift).find_map(|from| {
            // Acquire: who sees what a broken shard has sees whose home it is.
            let seeming = |shard: &usize| self.all[*shard].0.some.load(Ordering::Acquire) >> from & 1 == 1;
            (0..self.all.len())
                .filter(seeming)
                .find_map(|shard| Some(self.first(shard) + hold(shard)?.take(order)?))
        })
    }

    /// A block of a shard that was whole. Nobody sees the shard in neither place: it moves under both locks.
    fn break_one(&self, order: u32, home: &AtomicU8) -> Option<usize> {
        let mut top = lock(&self.top);
        let shard = top.take(0)?;
        let mut held = self.hold(shard);
        held.put(0, self.shift);
        home.store(number(shard), Ordering::Relaxed); // before others see what it has
        drop(top);
        Some(self.first(shard) + held.take(order)?)
    }

    fn lanes_at(&self, shard: usize) -> usize {
        self.homes.iter().filter(|home| home.load(Ordering::Relaxed) == number(shard)).count()
    }

    /// Hands pages of a shard on which nothing is granted back up. Taking one is what granting it would
    /// be: one exchange from no bit to all.
    pub(super) fn gather(
        &self,
        shard: usize,
        upper: &mut Upper,
        pages: &Pages,
        from: impl Iterator<Item = usize>,
    ) {
        for page in from.filter(|page| pages.hand_up(*page)) {
            upper.put(page - self.first(shard), 0);
        }
    }
}
