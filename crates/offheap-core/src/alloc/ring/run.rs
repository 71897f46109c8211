//! Runs: grants of one size, one behind the other, for somebody who will not want all of them. What was not used goes
//! back to the head as if it had never been granted, unless something lies behind it.

use super::{FREED, Ordering, Ring, lock};
use crate::alloc::strategy::{Grant, Strategy, Usage};

impl Ring {
    /// Steps that a request takes.
    #[inline]
    #[must_use]
    pub fn steps_of_request(&self, size: u64) -> u64 {
        self.steps_for(size)
    }

    /// Bytes of so many steps.
    #[inline]
    #[must_use]
    pub fn bytes_of(&self, steps: u64) -> u64 {
        steps << self.step_shift
    }

    /// Grants up to `most` times `steps` steps, one behind the other, as far as that many single requests would be granted
    /// without a skip. Gives the first grant and how many there are. Only for who is alone in the ring.
    pub fn take_run(&self, steps: u64, most: u64) -> Option<(Grant, u64)> {
        let (tail, head) = (self.tail.load(Ordering::Acquire), self.head.load(Ordering::Acquire));
        let (at, size) = (self.place(head), self.bytes_of(steps));
        let wanted = most.min((self.total - at * self.step) / size);
        let mut room = self.steps - (head - tail);
        if room < wanted * steps && self.take_back() {
            room = self.steps - (head - self.tail.load(Ordering::Acquire));
        }
        let count = wanted.min(room / steps);
        for index in 0..count {
            self.table[(at + index * steps) as usize].store(steps << 1, Ordering::Release); // published: see `take_back`
        }
        self.head.store(head + count * steps, Ordering::Release);
        (count > 0).then_some((Grant { offset: at * self.step, size }, count))
    }

    /// Ends the last `count` grants of a run, of which the first begins at `offset`. Whether that room is free at once:
    /// what lies before somebody else's grants comes back in the order of all.
    #[cold]
    pub fn give_rest(&self, offset: u64, steps: u64, count: u64) -> bool {
        let (at, rest) = (offset >> self.step_shift, count * steps);
        let table = self.table;
        let words = || (0..count).filter_map(|index| table.get((at + index * steps) as usize));
        let head = self.head.load(Ordering::Acquire);
        if head >= rest && self.place(head - rest) == at {
            words().for_each(|word| word.store(0, Ordering::Relaxed)); // who walks stops here
            if self.head.compare_exchange(head, head - rest, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
        words().for_each(|word| word.store((steps << 1) | FREED, Ordering::Release));
        false
    }

    /// Ends `count` grants of a run, of which the first begins at `offset`.
    pub fn end_run(&self, offset: u64, steps: u64, count: u64) {
        if count == 0 {
            return;
        }
        let at = offset >> self.step_shift;
        let table = self.table;
        let words = || (0..count).filter_map(|index| table.get((at + index * steps) as usize));
        let _back = lock(&self.back);
        let tail = self.tail.load(Ordering::Relaxed);
        if self.place(tail) == at {
            words().for_each(|word| word.store(0, Ordering::Relaxed)); // as in `take_back`, which finds no more
            self.tail.store(tail + count * steps, Ordering::Release);
        } else {
            words().for_each(|word| word.store((steps << 1) | FREED, Ordering::Release)); // as in `free`
        }
    }

    /// How the ring would be used if its last `rest` steps were given back.
    #[must_use]
    #[cold]
    pub fn usage_without(&self, rest: u64) -> Usage {
        if rest == 0 {
            return self.usage();
        }
        self.take_back();
        let (tail, head) = (self.tail.load(Ordering::Acquire), self.head.load(Ordering::Acquire));
        self.usage_between(tail, head - rest.min(head - tail))
    }
}
