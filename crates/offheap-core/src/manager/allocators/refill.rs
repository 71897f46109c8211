//! Refilling: a request that found its class's magazine empty is a sign of more to come. Slots of the class are then
//! cut for the whole magazine, a slab's by whole words, so that the next ones need no native call.

use super::Isolate;
use super::grants::{Attached, Taken};
use super::ground::Plan;
use super::lending::LENT_BYTES_MAX;
use super::stock::{put_record, take_record};
use crate::alloc::strategy::Strategy;
use crate::tracker::isolate::IsolateTable;
use crate::tracker::label::Label;
use crate::tracker::lent::Loan;
use crate::tracker::magazine::MAGAZINE_SLOTS;
use crate::tracker::state::{Owner, Place, Slot};

impl Plan {
    /// The strategy, if it cuts many grants of a size for little more than one. (An object pool counts how often it has
    /// to cut.)
    fn cuts_many(&self, size: u64) -> Option<&dyn Strategy> {
        match self {
            Self::Slab(slab) => Some(slab),
            Self::Hybrid(hybrid) if hybrid.has_slots(size) => Some(hybrid),
            _ => None,
        }
    }
}

impl Isolate {
    /// Fills the empty magazine that begins at a word of the table, and takes the first grant out of it, as its script will
    /// take the next ones: then no record says more of it than of those. `None` when nothing came.
    #[inline]
    pub(super) fn grant_refilled(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        home: usize,
        size: u64,
    ) -> Option<Taken> {
        let magazine = self.refill_magazine(attached, records, home, size)?;
        self.grant_newest(attached, records, magazine, size, Label::NONE)
    }

    /// Fills an empty magazine with grants for `size` bytes: which one, if it was. What cannot be lent is not cut.
    #[cold]
    fn refill_magazine(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        home: usize,
        size: u64,
    ) -> Option<usize> {
        let allocator = &attached.allocator;
        let strategy = allocator.ground.plan.cuts_many(size)?;
        let magazine = IsolateTable::magazine_at(home)?;
        // All that it holds: a whole word. One is taken at once, so the next free needs no native call.
        let wanted = self.table.capacity(magazine).min(MAGAZINE_SLOTS);
        if wanted < 2 || size > LENT_BYTES_MAX || !self.may_lend_of(allocator) {
            return None;
        }
        let _lent = allocator.counters.loans();
        if !allocator.lent.serves(attached.era) {
            return None; // it was recalled since we looked
        }
        self.table.note_taken(magazine); // what its script takes before it asks again counts in 31 bits
        let mut slots = self.lendable_records(records, wanted);
        let mut fresh = Vec::with_capacity(slots.len());
        strategy.allocate_many(size, slots.len(), &mut |grant| fresh.push(grant.offset));
        let alignment = allocator.measures.alignment;
        let loan = Loan { owner: Owner::grant(self.number), label: 0, alignment };
        for spare in slots.split_off(fresh.len().min(slots.len())).into_iter().rev() {
            put_record(&self.manager.tracker, records, spare);
        }
        // The last first: a magazine hands out the newest, so its grants lie in the order of the region.
        for (slot, offset) in slots.into_iter().zip(fresh).rev() {
            self.manager.tracker.bind(slot, Place::grant(allocator.ground.span.0, offset), 0);
            let record = self.manager.tracker.shared(slot);
            let is_lent = record.is_some_and(|record| record.lend(slot, &self.table, magazine, loan));
            debug_assert!(is_lent);
            if !self.table.load(magazine, slot) {
                self.return_loan(allocator, records, slot); // its script wrote another length
            }
        }
        Some(magazine)
    }

    /// Records of the stock, as far as the next ones can be lent.
    pub(super) fn lendable_records(&self, records: &mut Vec<Slot>, most: usize) -> Vec<Slot> {
        let tracker = &self.manager.tracker;
        let mut slots = Vec::with_capacity(most);
        while slots.len() < most {
            let Ok(slot) = take_record(tracker, records) else { break };
            if !self.is_lendable(slot) {
                put_record(tracker, records, slot);
                break;
            }
            slots.push(slot);
        }
        slots
    }
}
