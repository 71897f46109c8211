//! Recalling: what is lent of an allocator, to whichever isolates, is lent no longer, and nothing is lent before whoever
//! recalled it is done: a reset, a close, a mark, statistics (but of an arena), a request that finds the region full.
//!
//! An isolate's script says when it is busy, looks whether what was lent to it is still, does its work, and says that it is
//! not busy any more, as [`super::sole`] has it for the native side; so the system's fence lets us wait for the end of it.
//! From then on the script makes native calls, and those hold the lock of the loans. The next of them that lends begins
//! with new magazines, and tells the script in which era.

use super::grants::Attached;
use super::places::Places;
use super::stock::put_record;
use super::{Allocator, Isolate};
use crate::base::sync::{Arc, AtomicU32, AtomicU64, MutexGuard, Ordering, thread};
use crate::raw;
use crate::tracker::counters::{Back, Counter, LentFrom};
use crate::tracker::isolate::{IsolateTable, word};
use crate::tracker::lent::moment;
use crate::tracker::record::Record;
use crate::tracker::state::Slot;

/// For so long nothing is lent after a request that found the region full because of it, in milliseconds. Else every such
/// request would recall what has just been lent again.
const REST_MS: u64 = 100;

/// Whether an allocator lends. Eras and recalls change under the lock of its loans.
#[derive(Debug, Default)]
pub(super) struct Lent {
    era: AtomicU64,      // how often all was recalled
    recalls: AtomicU32,  // under way
    returned: AtomicU64, // how much of it went back, ever
    rests_until_ms: AtomicU64,
    pub(super) places: Places, // of a ring
}

impl Lent {
    /// What is lent from now on is of this era; nothing of an earlier one is lent any more, or soon.
    pub(super) fn era(&self) -> u64 {
        self.era.load(Ordering::Acquire)
    }

    /// Whether something may be lent to who knows of this era. The caller holds the lock of the loans.
    pub(super) fn serves(&self, era: u64) -> bool {
        self.recalls.load(Ordering::Acquire) == 0 && self.era() == era
    }

    /// Grants and rests of pieces that went back, ever: who found the region full, and nothing lent any more, looks here
    /// whether somebody gave it back meanwhile.
    pub(super) fn returned(&self) -> u64 {
        self.returned.load(Ordering::Acquire)
    }

    /// Counts one that is back.
    pub(super) fn count_returned(&self) {
        self.returned.fetch_add(1, Ordering::Release);
    }

    /// Whether a full region was found a moment ago.
    pub(super) fn rests(&self) -> bool {
        let until = self.rests_until_ms.load(Ordering::Relaxed);
        until != 0 && raw::now_ms() < until
    }
}

/// While it is there, nothing of an allocator is lent.
#[must_use]
pub(super) struct Recall<'a>(&'a Lent);

impl Drop for Recall<'_> {
    fn drop(&mut self) {
        // Release: who lends afterwards, under the lock, finds all that was done meanwhile.
        self.0.recalls.fetch_sub(1, Ordering::Release);
    }
}

impl Isolate {
    /// Ends all that is lent of an allocator.
    pub(super) fn recall<'a>(
        &self,
        allocator: &'a Allocator,
        counter: &Counter,
        records: &mut Vec<Slot>,
    ) -> Recall<'a> {
        let (recall, others) = self.begin_recall(allocator, &allocator.counters.loans());
        if others {
            raw::fence_everywhere();
        }
        loop {
            let mut loans = allocator.counters.loans();
            if allocator.closed.load(Ordering::Acquire) {
                return recall; // an arena's loans are the next allocator's on its ground by now
            }
            let Some(table) = loans.first().map(|loan| Arc::clone(&loan.table)) else { return recall };
            if !Arc::ptr_eq(&table, &self.table) {
                if table.word(word::BUSY) != 0 {
                    drop(loans);
                    thread::yield_now(); // its script is stopped in the middle, or its isolate ends and takes all back itself
                    continue;
                }
                // Its last stores may still be on their way behind the one that says that it is not busy.
                raw::fence_everywhere();
            }
            self.take_loans_over(allocator, &table, &mut loans, counter, records);
        }
    }

    /// Begins a new era. Also whether something is lent to other isolates.
    fn begin_recall<'a>(&self, allocator: &'a Allocator, loans: &[LentFrom]) -> (Recall<'a>, bool) {
        let lent = &allocator.lent;
        lent.recalls.fetch_add(1, Ordering::Relaxed);
        if allocator.closed.load(Ordering::Acquire) {
            return (Recall(lent), false); // nothing of it is lent, and its number may be another's
        }
        lent.era.fetch_add(1, Ordering::Release);
        self.manager.allocators.bump_turn(allocator.id.number); // scripts see this
        (Recall(lent), self.is_lent_elsewhere(loans))
    }

    fn is_lent_elsewhere(&self, loans: &[LentFrom]) -> bool {
        loans.iter().any(|loan| !Arc::ptr_eq(&loan.table, &self.table))
    }

    /// Takes what other isolates have ready, and this one. False, and nothing is done, when others have nothing.
    pub(super) fn recall_from_others(
        &self,
        allocator: &Allocator,
        counter: &Counter,
        records: &mut Vec<Slot>,
    ) -> bool {
        if !self.is_lent_elsewhere(&allocator.counters.loans()) {
            return false;
        }
        drop(self.recall(allocator, counter, records));
        true
    }

    /// The same, for a request that found the region full.
    pub(super) fn recall_for_want(&self, attached: &Attached, records: &mut Vec<Slot>) -> bool {
        let allocator = &attached.allocator;
        if !self.is_lent_elsewhere(&allocator.counters.loans()) {
            return false;
        }
        let _recall = self.recall(allocator, &attached.counter, records);
        // Before it ends: else others would be lent what the request is about to look for.
        allocator.lent.rests_until_ms.store(raw::now_ms() + REST_MS, Ordering::Relaxed);
        true
    }

    /// Takes over all that is lent to a table; its script is in no piece of work.
    fn take_loans_over(
        &self,
        allocator: &Allocator,
        table: &Arc<IsolateTable>,
        loans: &mut MutexGuard<'_, Vec<LentFrom>>,
        counter: &Counter,
        records: &mut Vec<Slot>,
    ) {
        let (mut theirs, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut **loans).into_iter().partition(|loan| Arc::ptr_eq(&loan.table, table));
        **loans = rest;
        let mut out = vec![0; theirs.len()];
        if theirs.iter().any(|loan| loan.back != Back::Nowhere) {
            self.take_grants_over(allocator, table, counter, records, |home| {
                let of = theirs.iter().position(|loan| IsolateTable::home_of(loan.magazine) == home);
                of.into_iter().for_each(|index| out[index] += 1);
            });
        }
        for (loan, out) in theirs.iter_mut().zip(out) {
            let taken = table.taken_of(loan.magazine);
            match loan.back {
                Back::Magazine => counter.passed(taken.saturating_sub(out)),
                Back::Listed => {}
                Back::Nowhere => {
                    allocator.end_piece(loan);
                    counter.granted_before(taken, table.granted_of(loan.magazine));
                }
            }
        }
    }

    /// Of grants in the program's hands the records speak again, and `each_out` is called with the magazine's first word;
    /// what nobody has goes back.
    fn take_grants_over(
        &self,
        allocator: &Allocator,
        table: &Arc<IsolateTable>,
        counter: &Counter,
        records: &mut Vec<Slot>,
        mut each_out: impl FnMut(usize),
    ) {
        let mut lent = Vec::new();
        allocator.settle_places(&self.manager.tracker, table, records);
        self.manager.tracker.each_lent(table, |handle, record| {
            if allocator.ground.holds(record.place())
                && let Some(front) = table.front(handle.slot)
            {
                lent.push((handle, record, front));
            }
        });
        for (handle, record, front) in lent {
            if handle.generation.is_live() {
                record.speak(handle, front, moment(front.born, raw::now_ms()));
                table.withdraw(handle);
                counter.granted(front.size);
                each_out(front.home);
            } else {
                record.take_back(handle.slot, table);
                allocator.put_loan(&record);
                put_record(&self.manager.tracker, records, handle.slot);
            }
        }
        allocator.forget_places();
    }
}

impl Allocator {
    /// Gives the memory of a loan back to the strategy that nobody has.
    pub(super) fn put_loan(&self, record: &Record<'_>) {
        let put = self.ground.put(record.place());
        debug_assert!(put.is_ok());
        self.lent.count_returned();
    }

    /// What went back to the strategy of what lay ready or waited, ever.
    pub(super) fn returned(&self) -> (u64, u64) {
        (self.lent.returned(), self.ground.waits.returned())
    }

    /// Whether it is closed, and not in the middle of it.
    pub(super) fn is_over(&self) -> bool {
        let _lent = self.counters.loans(); // held while it is being closed
        self.closed.load(Ordering::Acquire)
    }
}
