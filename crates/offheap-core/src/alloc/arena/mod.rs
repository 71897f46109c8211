//! Arena: a position that only moves forward, until `rewind` or `reset` moves it back. Allocation is
//! one compare-exchange; marks, rewinds and resets take a lock and make allocations wait for it.
//!
//! It knows no single grant. A grant remembers the level in which it was made, and that level's
//! generation; `mark` opens a level, and whatever ends levels changes their generations. So a
//! grant's liveness is one load and one compare, here and in JavaScript, which reads the generations.
//!
//! The region is one range of addresses that the first touch commits, so growing needs no chunks of
//! its own: a request that is larger than all before it just reaches further, and nothing is copied
//! or skipped.

mod levels;
mod stretch;

use self::levels::{Count, Level, Levels};
use super::strategy::{Usage, Verdict, full, never_fits, no_memory};
use crate::base::error::{Code, Result};
use crate::base::sync::{Arc, AtomicI32, AtomicU32, AtomicU64, Mutex, Ordering, lock, sized, statics};
use crate::raw;
use crate::raw::bytes::Bytes;
use crate::raw::words;
use crate::tracker::counters::{Counter, Counters};

/// The most levels: marks that are alive at once.
pub const LEVELS_MAX: usize = sized(1 << 16, 4);
/// The smallest step of the position, in bytes.
const STEP_MIN: u64 = 8;

/// The top word: `stamp:30 | position:34`. The stamp is odd while a rewind is under way and changes
/// with each, so an allocation that began before one cannot end after it.
const POSITION: u64 = (1 << 34) - 1;
const STAMP: u64 = 1 << 34;

statics! {
    // Numbers of marks, one series for all arenas: a mark of another arena is no mark here.
    static SERIALS: AtomicU64 = AtomicU64::new(1);
}

/// A range that an arena gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaGrant {
    /// Bytes from the start of the region.
    pub offset: u64,
    /// Bytes granted.
    pub size: u64,
    /// Until when it lives.
    pub stay: Stay,
}

/// A level of an arena as it was at some moment. A grant lives as long as its stay is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Which level.
    pub level: u32,
    /// Which of its generations.
    pub generation: u32,
}

/// A position to come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The level that the mark opened.
    pub level: u32,
    /// Its number; below 2^53.
    pub serial: u64,
}

/// The strategy.
#[derive(Debug)]
pub struct Arena {
    total: u64,
    step: u64, // a power of two; every position is a multiple of it, so every address has the alignment
    step_shift: u32,
    top: AtomicU64,
    depth: AtomicU32, // the newest level
    generations: &'static [AtomicI32],
    freed: &'static [AtomicU64], // two words a level: blocks, and bytes that they asked for
    /// What was granted, by whom it was: allocating adds to a cell of the caller's own.
    pub counters: Arc<Counters>,
    levels: Mutex<Levels>,
}

impl Arena {
    /// An arena over `[0, total)`.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for an alignment above `total`; [`Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        if total == 0 || alignment > total {
            return Err(never_fits(alignment.max(1), total));
        }
        let tables = words::zeroed_u64_and_i32(2 * LEVELS_MAX, LEVELS_MAX); // both or none
        let (freed, generations) = tables.ok_or_else(|| no_memory(20 * LEVELS_MAX as u64))?;
        let serial = SERIALS.fetch_add(1, Ordering::Relaxed);
        let first = Level { base: 0, serial, start: Count::default() };
        Ok(Self {
            total,
            step: alignment.max(STEP_MIN),
            step_shift: alignment.max(STEP_MIN).trailing_zeros(),
            top: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            generations,
            freed,
            counters: Arc::default(),
            levels: Mutex::new(Levels { open: vec![first], reached: 0, ended: Count::default() }),
        })
    }

    /// Grants at least `size` bytes; `counter` is one of this arena's counters, the caller's own.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for 0 and for more than the region; [`Code::RegionFull`].
    #[inline]
    pub fn allocate(&self, size: u64, counter: &Counter) -> Result<ArenaGrant> {
        self.take(size, counter, false)
    }

    /// The same; `sole`: nobody else can be at work in the arena.
    ///
    /// # Errors
    /// As [`Arena::allocate`].
    #[inline]
    pub fn take(&self, size: u64, counter: &Counter, sole: bool) -> Result<ArenaGrant> {
        if size.wrapping_sub(1) >= self.total {
            return Err(never_fits(size, self.total));
        }
        loop {
            let top = self.top.load(Ordering::Acquire);
            if top & STAMP != 0 {
                drop(lock(&self.levels)); // a rewind is under way: wait for its end
                continue;
            }
            // Acquire, both: whoever sees what a rewind stored also sees the stamp that it set
            // before, and then the exchange fails.
            let level = self.depth.load(Ordering::Acquire);
            let generation = self.generations[level as usize].load(Ordering::Acquire).cast_unsigned();
            let offset = (top & POSITION) << self.step_shift;
            if offset > self.total || size > self.total - offset {
                return Err(full(size, self.total.saturating_sub(offset)));
            }
            let moved = top + ((size + self.step - 1) >> self.step_shift); // a division would cost as much as the exchange
            if sole {
                self.top.store(moved, Ordering::Release);
            }
            if sole || self.top.compare_exchange_weak(top, moved, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            {
                counter.granted(size);
                let granted = size.next_multiple_of(self.step).min(self.total - offset);
                return Ok(ArenaGrant { offset, size: granted, stay: Stay { level, generation } });
            }
        }
    }

    /// Whether what was granted in a stay is still there.
    #[must_use]
    #[inline]
    pub fn is_live(&self, stay: Stay) -> bool {
        let generation = self.generations.get(stay.level as usize);
        generation.is_some_and(|now| now.load(Ordering::Acquire).cast_unsigned() == stay.generation)
    }

    /// Counts one block less, of `size` bytes asked for. Its room comes back with a rewind.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`] when its stay is over.
    #[inline]
    pub fn free(&self, stay: Stay, size: u64) -> Result<()> {
        self.give(stay, size, false)
    }

    /// The same; `sole`: nobody else can be at work in the arena.
    ///
    /// # Errors
    /// As [`Arena::free`].
    #[inline]
    pub fn give(&self, stay: Stay, size: u64, sole: bool) -> Result<()> {
        if !self.is_live(stay) {
            return Err(Code::UseAfterFree.into());
        }
        for (counter, more) in [(0, 1), (1, size)] {
            let counter = &self.freed[2 * stay.level as usize + counter];
            if sole {
                counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
            } else {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// How the region is used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let position = self.top.load(Ordering::Acquire) & POSITION;
        let held = (position * self.step).min(self.total);
        let free = self.total - held;
        let blocks = self.live().blocks;
        Usage { held, free, largest_free: free, blocks, free_blocks: u64::from(free > 0), scattered: 0 }
    }

    /// Bytes that live grants asked for.
    #[must_use]
    pub fn requested(&self) -> u64 {
        self.live().bytes
    }

    /// All that was ever granted.
    fn granted(&self) -> Count {
        let sum = self.counters.sum();
        Count { blocks: sum.allocations, bytes: sum.allocated_bytes }
    }

    fn live(&self) -> Count {
        let levels = lock(&self.levels);
        let freed = |word: usize| -> u64 {
            (0..levels.open.len()).map(|level| self.freed[2 * level + word].load(Ordering::Relaxed)).sum()
        };
        self.granted().less(levels.ended).less(Count { blocks: freed(0), bytes: freed(1) })
    }

    /// Gives back the pages past the position that were in use once.
    pub fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let page = raw::page_size() as u64;
        let mut levels = lock(&self.levels);
        let position = self.stop();
        let from = (position * self.step).next_multiple_of(page);
        let to = (levels.reached.max(position) * self.step).min(self.total).next_multiple_of(page);
        let given = if to > from { decommit(from, to - from) } else { 0 };
        levels.reached = position;
        self.go(position);
        given
    }

    /// The generations of all levels, for the view through which JavaScript judges liveness.
    #[must_use]
    pub fn generations(&self) -> Bytes<'static> {
        words::bytes_of_i32(self.generations)
    }

    /// Checks its own structure. Only while nobody else uses it.
    ///
    /// # Errors
    /// A sentence about the first thing that does not hold.
    pub fn check(&self) -> Verdict {
        let levels = lock(&self.levels);
        let top = self.top.load(Ordering::Relaxed);
        let position = top & POSITION;
        if top & STAMP != 0 {
            return Err("a rewind is said to be under way".into());
        }
        if position > self.total.div_ceil(self.step) {
            return Err(format!("position {position} is past the end"));
        }
        if self.depth.load(Ordering::Relaxed) as usize != levels.open.len() - 1 {
            return Err(format!("the depth is not that of {} levels", levels.open.len()));
        }
        let rises =
            levels.open.windows(2).all(|pair| pair[0].base < pair[1].base && pair[0].serial < pair[1].serial);
        if !rises || levels.open.last().is_some_and(|newest| newest.base > position) {
            return Err("levels do not lie one behind the other".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;
    use crate::base::sync::lock;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn an_allocation_waits_for_the_end_of_a_rewind() {
        let arena = Arena::new(1 << 20, 16).unwrap();
        let counter = arena.counters.counter();
        arena.allocate(1000, &counter).unwrap();
        thread::scope(|scope| {
            let levels = lock(&arena.levels);
            arena.stop();
            let allocation = scope.spawn(|| arena.allocate(16, &arena.counters.counter()).unwrap());
            thread::sleep(Duration::from_millis(20)); // time to do it wrong
            arena.go(0);
            drop(levels);
            assert_eq!(allocation.join().unwrap().offset, 0);
        });
    }
}
