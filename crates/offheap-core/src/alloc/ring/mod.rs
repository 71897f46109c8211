//! Ring: grants one behind the other, in a circle. Frees may come in any order; room comes back in the
//! order of the grants. Allocating is one compare-exchange, freeing a store; a lock is held only
//! while freed grants at the back are taken together, which an allocation does when it needs them.
//!
//! Positions are 64 bits wide and grow, so full and empty cannot be confused; only who took a run of grants in advance
//! ([`run`]) moves the head back. A grant never wraps: what is left before the end is skipped.

mod run;

use super::strategy::{
    Grant, Strategy, Usage, Verdict, full, never_fits, no_memory, not_granted, outside_largest,
};
use crate::base::error::Result;
use crate::base::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::raw;
use crate::raw::words;

/// The smallest step of a position, in bytes: 8 bytes of metadata for each.
const STEP_MIN: u64 = 64;

/// A table word: `tag:32 | steps:31 | freed:1`; 0 where no grant starts.
const FREED: u64 = 1;
const fn steps_of(word: u64) -> u64 {
    (word >> 1) & 0x7fff_ffff
}

/// What only the thread that takes room back changes.
#[derive(Debug, Default)]
struct Back {
    cold_end: u64, // what is free before this position has no pages
}

/// The strategy.
#[derive(Debug)]
pub struct Ring {
    total: u64,
    step: u64,                   // a power of two
    step_shift: u32,             // its logarithm: a division would cost as much as the exchange
    steps: u64,                  // of the whole circle
    reciprocal: u64,             // (2^64 - 1) / steps, for remainders
    head: AtomicU64,             // position after the newest grant
    tail: AtomicU64,             // position of the oldest one that is not taken back
    table: &'static [AtomicU64], // a word for each step
    back: Mutex<Back>,
}

/// Free bytes of a ring.
struct Room {
    /// From the head on.
    ahead: u64,
    /// From the start of the region on, behind its end.
    start: u64,
}

impl Room {
    /// What one grant can have.
    fn largest(&self) -> u64 {
        self.ahead.max(self.start)
    }
}

impl Ring {
    /// A ring over `[0, total)`.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfRange`] for an alignment above `total`;
    /// [`crate::base::error::Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        if total == 0 || alignment > total {
            return Err(never_fits(alignment.max(1), total));
        }
        let step = alignment.max(STEP_MIN);
        let steps = total.div_ceil(step);
        let table = words::zeroed_u64(steps as usize).ok_or_else(|| no_memory(8 * steps))?;
        let (head, tail) = (AtomicU64::new(0), AtomicU64::new(0));
        let (step_shift, reciprocal) = (step.trailing_zeros(), u64::MAX / steps);
        Ok(Self { total, step, step_shift, steps, reciprocal, head, tail, table, back: Mutex::default() })
    }

    /// Steps that hold a request.
    #[inline]
    const fn steps_for(&self, size: u64) -> u64 {
        (size + self.step - 1) >> self.step_shift
    }

    /// Where in the circle a position is. The reciprocal gives the circles before it, or one less.
    #[inline]
    const fn place(&self, position: u64) -> u64 {
        let circles = ((position as u128 * self.reciprocal as u128) >> 64) as u64;
        let rest = position - circles * self.steps;
        if rest >= self.steps { rest - self.steps } else { rest }
    }

    /// The word of a position.
    #[inline]
    fn word(&self, position: u64) -> &AtomicU64 {
        &self.table[self.place(position) as usize]
    }

    /// Takes back what is freed at the back, and tells whether that was anything.
    fn take_back(&self) -> bool {
        let _back = lock(&self.back);
        let from = self.tail.load(Ordering::Relaxed);
        let (mut tail, head) = (from, self.head.load(Ordering::Acquire));
        let mut at = self.place(tail);
        while tail != head {
            // Acquire: pairs with the Release of the free. A grant that is not published reads 0.
            let word = self.table[at as usize].load(Ordering::Acquire);
            if word & FREED == 0 {
                break;
            }
            self.table[at as usize].store(0, Ordering::Relaxed);
            tail += steps_of(word);
            at += steps_of(word);
            at -= if at >= self.steps { self.steps } else { 0 };
        }
        // Release: whoever sees the room sees that its words are 0; pairs with the Acquire in `allocate`.
        self.tail.store(tail, Ordering::Release);
        tail != from
    }

    /// With nothing granted, the next grant may begin at the start of the region.
    #[cold]
    fn go_to_start(&self) {
        let _back = lock(&self.back);
        let (head, tail) = (self.head.load(Ordering::Acquire), self.tail.load(Ordering::Relaxed));
        let start = head.next_multiple_of(self.steps);
        if head == tail
            && self.head.compare_exchange(head, start, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            // The head is at most the length of the circle before the tail at every moment: others
            // that see the new head and the old tail only see less room.
            self.tail.store(start, Ordering::Release);
        }
    }

    /// Grants at least `size` bytes. `sole`: nobody else can be at it.
    ///
    /// # Errors
    /// As [`Strategy::allocate`].
    #[inline]
    pub fn take(&self, size: u64, sole: bool) -> Result<Grant> {
        if size.wrapping_sub(1) >= self.total {
            return Err(never_fits(size, self.total));
        }
        let steps = self.steps_for(size);
        loop {
            let tail = self.tail.load(Ordering::Acquire); // first: then the head is never behind it
            let head = self.head.load(Ordering::Acquire);
            let at = self.place(head);
            let Some(skip) = self.skip(at, head, tail, size) else {
                // Somebody else may have taken back, or held all that is free for a trim, between our look and now.
                let moved = |word: &AtomicU64, seen: u64| word.load(Ordering::Acquire) != seen;
                if self.take_back() || moved(&self.tail, tail) || moved(&self.head, head) {
                    continue;
                }
                if head == tail && at != 0 {
                    self.go_to_start();
                    continue;
                }
                return Err(full(size, self.room(head, tail).largest()));
            };
            let next = head + skip + steps;
            if sole {
                self.head.store(next, Ordering::Release);
            } else if self
                .head
                .compare_exchange_weak(head, next, Ordering::AcqRel, Ordering::Relaxed)
                .is_err()
            {
                continue;
            }
            let start = if skip > 0 { 0 } else { at };
            self.table[start as usize].store(steps << 1, Ordering::Release); // published: see `take_back`
            if skip > 0 {
                self.table[at as usize].store((skip << 1) | FREED, Ordering::Release);
            }
            let offset = start * self.step;
            return Ok(Grant { offset, size: self.granted_bytes(offset, steps) });
        }
    }

    /// Steps that a request at a position, `at` in the circle, first skips; `None` when it does not fit
    /// with them.
    #[inline]
    fn skip(&self, at: u64, head: u64, tail: u64, size: u64) -> Option<u64> {
        let skip = if size > self.total - at * self.step { self.steps - at } else { 0 };
        (head + skip + self.steps_for(size) - tail <= self.steps).then_some(skip)
    }

    /// Ties a number to a live grant; 0 unties.
    pub fn tag(&self, offset: u64, tag: u32) {
        let Some(word) = self.grant_word(offset) else { return };
        let _ = word.fetch_update(Ordering::Release, Ordering::Relaxed, |now| {
            (now != 0).then_some((now & 0xffff_ffff) | (u64::from(tag) << 32))
        });
    }

    /// The oldest live grant's offset and tag.
    #[must_use]
    pub fn oldest(&self) -> Option<(u64, u32)> {
        self.take_back();
        let (tail, head) = (self.tail.load(Ordering::Acquire), self.head.load(Ordering::Acquire));
        let word = self.word(tail).load(Ordering::Acquire);
        let live = tail != head && word != 0 && word & FREED == 0;
        live.then(|| (self.place(tail) * self.step, (word >> 32) as u32))
    }

    fn grant_word(&self, offset: u64) -> Option<&AtomicU64> {
        (offset & (self.step - 1) == 0)
            .then(|| self.table.get((offset >> self.step_shift) as usize))
            .flatten()
    }

    /// Gives back the whole pages between two positions less than a circle apart.
    fn decommit_between(&self, from: u64, to: u64, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let page = raw::page_size() as u64;
        let turn = from.next_multiple_of(self.steps).clamp(from, to);
        let part = |from: u64, to: u64| {
            let start = (self.place(from) * self.step).next_multiple_of(page);
            let end = (self.place(from) + (to - from)) * self.step;
            // The region is page-rounded: what follows its last byte on that page is nobody's.
            let end = if end >= self.total { self.total.next_multiple_of(page) } else { end / page * page };
            if to > from && end > start { decommit(start, end - start) } else { 0 }
        };
        part(from, turn) + part(turn, to)
    }

    fn granted_bytes(&self, offset: u64, steps: u64) -> u64 {
        (steps * self.step).min(self.total - offset)
    }

    /// What is free between two positions.
    fn room(&self, head: u64, tail: u64) -> Room {
        if head <= tail {
            return Room { ahead: self.total, start: 0 };
        }
        let (at, room) = (self.place(head), self.steps - (head - tail).min(self.steps));
        // The steps from `at` on, to the end and then from the start.
        let behind = room.saturating_sub(self.steps - at);
        let reaches_end = room - behind == self.steps - at;
        let ahead = if reaches_end { self.total - at * self.step } else { (room - behind) * self.step };
        Room { ahead, start: behind * self.step }
    }

    /// How it is used while so much is granted.
    fn usage_between(&self, tail: u64, head: u64) -> Usage {
        let mut blocks = 0;
        if head > tail {
            let _ = self.walk(tail, head, |_, word| blocks += u64::from(word & FREED == 0));
        }
        let room = self.room(head, tail);
        let free = room.ahead + room.start;
        let free_blocks = u64::from(room.ahead > 0) + u64::from(room.start > 0);
        let largest_free = room.largest();
        let scattered = outside_largest(free, self.total, largest_free);
        Usage { held: self.total - free, free, largest_free, blocks, free_blocks, scattered }
    }

    /// Calls `each` with position and word of everything from the back to the front.
    fn walk(&self, tail: u64, head: u64, mut each: impl FnMut(u64, u64)) -> std::result::Result<(), String> {
        let mut at = tail;
        while at != head {
            let word = self.word(at).load(Ordering::Acquire);
            if word == 0 || at + steps_of(word) > head {
                return Err(format!("nothing, or too much, is known of position {at}"));
            }
            each(at, word);
            at += steps_of(word);
        }
        Ok(())
    }
}

impl Strategy for Ring {
    #[inline]
    fn allocate(&self, size: u64) -> Result<Grant> {
        self.take(size, false)
    }

    #[inline]
    fn free(&self, offset: u64) -> Result<u64> {
        let word = self.grant_word(offset).ok_or_else(not_granted)?;
        let seen = word.load(Ordering::Relaxed);
        if seen == 0 || seen & FREED != 0 {
            return Err(not_granted());
        }
        // A store, no exchange: of two frees of one grant only one comes here (law 3), and nobody else changes the
        // word of a live grant but `tag`, whose loss does no harm now. Release: what the owner wrote happens before
        // what the next one does.
        word.store(seen | FREED, Ordering::Release);
        Ok(self.granted_bytes(offset, steps_of(seen)))
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        let word = self.grant_word(offset)?.load(Ordering::Acquire);
        (word != 0 && word & FREED == 0).then(|| self.granted_bytes(offset, steps_of(word)))
    }

    fn usage(&self) -> Usage {
        self.take_back();
        let (tail, head) = (self.tail.load(Ordering::Acquire), self.head.load(Ordering::Acquire));
        self.usage_between(tail, head)
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        self.take_back();
        let mut back = lock(&self.back);
        let tail = self.tail.load(Ordering::Relaxed);
        let end = tail + self.steps;
        let head = self.head.load(Ordering::Acquire);
        // All that is free is granted first, so that nobody else gets it meanwhile.
        let claims = back.cold_end < end
            && head < end
            && self.head.compare_exchange(head, end, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if !claims {
            return 0; // nothing free, nothing new, or somebody is busy here
        }
        let given = self.decommit_between(head.max(back.cold_end), end, decommit);
        back.cold_end = end;
        // With no room nobody moves the head, and room comes back only under the lock that we hold.
        self.head.store(head, Ordering::Release);
        given
    }

    fn check(&self) -> Verdict {
        let (tail, head) = (self.tail.load(Ordering::Relaxed), self.head.load(Ordering::Relaxed));
        if head < tail || head - tail > self.steps {
            return Err(format!("head {head} and tail {tail} do not fit a circle of {}", self.steps));
        }
        let mut starts = 0;
        self.walk(tail, head, |_, _| starts += 1)?;
        let known = self.table.iter().filter(|word| word.load(Ordering::Relaxed) != 0).count();
        if known != starts {
            return Err(format!("{known} words of the table are set, {starts} things lie in the circle"));
        }
        Ok(())
    }
}
