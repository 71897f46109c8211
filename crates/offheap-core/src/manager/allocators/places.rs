//! Places: what a ring lends. The isolate that has a ring alone gets a run of grants of one size in advance, one behind the
//! other. Its JavaScript takes them in that order, and ends each by the one store of its generation; nothing comes back into
//! the magazine, for a ring's room comes back in the order of its grants. So the grants lie where they would lie if each were
//! a native call. Before the isolate asks the ring for anything else, what it has not taken goes back to the head; what its
//! script ended at the back is noticed when room is needed, when the next places are lent, and by statistics.

use super::grants::{Attached, Taken};
use super::ground::Plan;
use super::lending::LENT_BYTES_MAX;
use super::lying::{Lain, Lying};
use super::stock::give;
use super::{Allocator, Isolate, Manager};
use crate::alloc::ring::Ring;
use crate::alloc::strategy::{Grant, Usage};
use crate::base::error::{Code, Result};
use crate::base::sync::{Mutex, MutexGuard, lock};
use crate::tracker::counters::Back;
use crate::tracker::isolate::IsolateTable;
use crate::tracker::label::Label;
use crate::tracker::lent::Loan;
use crate::tracker::magazine::MAGAZINE_SLOTS;
use crate::tracker::state::{Generation, Owner, Place, Slot};
use crate::tracker::table::Tracker;

/// So many places are lent after two requests of one size, and twice as many each time that all were taken.
const PLACES_MIN: usize = 4;

/// The list of what is lent of a ring. Changed under the lock of the loans.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Lying>);

/// What an isolate knows of what its ring lends to it.
#[derive(Debug, Default)]
pub(super) struct Course {
    steps: u64,              // of the last request
    magazine: Option<usize>, // in which places of so many steps may lie ready
    next: usize,             // so many are lent next
    has_lain: bool,          // whether places may be lent
}

impl Course {
    /// Notes the size of a request. Whether it is that of the one before.
    fn follow(&mut self, steps: u64) -> bool {
        let follows = self.steps == steps && steps > 0;
        if !follows {
            (self.steps, self.next) = (steps, PLACES_MIN);
        }
        follows
    }
}

impl Allocator {
    fn lying(&self) -> MutexGuard<'_, Lying> {
        lock(&self.lent.places.0)
    }

    /// Before what is lent of a ring to a table ends: the places that were not taken, and those that ended before all others,
    /// are the ring's again. The caller holds the lock of the loans, and the table's script is in no take.
    #[cold]
    pub(super) fn settle_places(&self, tracker: &Tracker, table: &IsolateTable, records: &mut Vec<Slot>) {
        let Plan::Ring(ring) = &self.ground.plan else { return };
        let mut lying = self.lying();
        lying.give_rest(ring, table);
        lying.take_ended(ring, table);
        lying.put_idle(tracker, table, records);
    }

    /// The record of a place speaks for it from now on. As `settle_places`.
    pub(super) fn forget_place(&self, place: Place) {
        if let Plan::Ring(ring) = &self.ground.plan {
            self.lying().forget(ring, place.offset_bytes());
        }
    }

    /// No place is lent any more.
    pub(super) fn forget_places(&self) {
        self.lying().forget_all();
    }

    /// How a ring is used. What ended at the back of what it lends is free, and so is what was not taken of it: who needs
    /// it gets it. The isolate to which it lends makes no native call in the ring meanwhile. Also how much of what is lent is
    /// in the program's hands: grants, and bytes.
    #[cold]
    pub(super) fn usage_of_ring(&self, ring: &Ring, manager: &Manager) -> (Usage, (u64, u64)) {
        let loans = self.counters.loans();
        let Some(loan) = loans.first() else { return (ring.usage_without(0), (0, 0)) };
        let mut records = Vec::new();
        let mut lying = self.lying();
        lying.take_ended(ring, &loan.table);
        let (count, steps) = lying.rest(&loan.table);
        let usage = ring.usage_without(count as u64 * steps);
        let out = lying.out(&loan.table);
        lying.put_idle(&manager.tracker, &loan.table, &mut records);
        drop((lying, loans));
        give(&manager.tracker, &mut records, usize::MAX);
        (usage, out)
    }
}

impl Isolate {
    /// Grants bytes of a ring, and lends places for the requests to come.
    #[inline(always)] // as `open_grant`
    pub(super) fn allocate_in_ring(
        &self,
        attached: &mut Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
    ) -> Result<Taken> {
        let turn = self.busy.begin(&attached.allocator.sole);
        if self.lends()
            && let Some(taken) = self.allocate_place(attached, records, size, label, turn.sole)
        {
            return Ok(taken);
        }
        let Plan::Ring(ring) = &attached.allocator.ground.plan else { return Err(Code::Corrupted.into()) };
        let grant = match ring.take(size, turn.sole) {
            Err(full) if full.code == Code::RegionFull && attached.course.has_lain => {
                self.settle_ring(attached, records);
                ring.take(size, turn.sole)
            }
            grant => grant,
        };
        self.open_grant(grant?, attached, records, size, label)
    }

    /// Grants the next place, if it is of the size of the last request. After `None` none lies ready any more.
    #[inline(never)] // not in the way of who lends nothing
    fn allocate_place(
        &self,
        attached: &mut Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
        sole: bool,
    ) -> Option<Taken> {
        self.renew_loans(attached, records);
        let Plan::Ring(ring) = &attached.allocator.ground.plan else { return None };
        let is_small = size.wrapping_sub(1) < LENT_BYTES_MAX;
        let follows = attached.course.follow(if is_small { ring.steps_of_request(size) } else { 0 });
        if let Some(magazine) = attached.course.magazine
            && self.table.magazine_length(magazine) > 0
        {
            if follows && let Some(taken) = self.grant_newest(attached, records, magazine, size, label) {
                return Some(taken);
            }
            self.settle_ring(attached, records);
        }
        if !follows || label.0 != 0 || !sole {
            return None;
        }
        self.lend_places(attached, records, size)
    }

    /// Nothing of a ring lies ready, and what ended before all that is lent of it is free.
    #[cold]
    pub(super) fn settle_ring(&self, attached: &Attached, records: &mut Vec<Slot>) {
        if let Some(magazine) = attached.course.magazine {
            self.table.clear(magazine);
        }
        if attached.course.has_lain {
            let _lent = attached.allocator.counters.loans();
            attached.allocator.settle_places(&self.manager.tracker, &self.table, records);
        }
    }

    /// The same, and from now on the records alone tell what is lent. In one step: who recalls it meanwhile would else find in
    /// the list what has just gone back by its record.
    #[cold]
    pub(super) fn adopt_places(&self, attached: &Attached, records: &mut Vec<Slot>) {
        if attached.course.has_lain {
            let _lent = attached.allocator.counters.loans();
            attached.allocator.settle_places(&self.manager.tracker, &self.table, records);
            attached.allocator.forget_places();
        }
    }

    /// Lends the next places for requests of the size of the last two, and grants the first of them.
    fn lend_places(&self, attached: &mut Attached, records: &mut Vec<Slot>, size: u64) -> Option<Taken> {
        if !self.may_lend_of(&attached.allocator) {
            return None;
        }
        let class = attached.course.steps as u32;
        let magazine = match attached.loans.of(class) {
            Some(magazine) => magazine,
            None => self.open_places(attached, class)?,
        };
        let (lent, taken) = self.lay_places(attached, records, magazine, size)?;
        let course = &mut attached.course;
        (course.magazine, course.has_lain) = (Some(magazine), true);
        if lent == course.next {
            course.next = (2 * lent).min(MAGAZINE_SLOTS);
        }
        Some(taken)
    }

    #[cold]
    fn open_places(&self, attached: &mut Attached, class: u32) -> Option<usize> {
        if !attached.loans.has_place(class) {
            return None;
        }
        let magazine = self.open_loan(attached, 0, Back::Listed)?;
        attached.loans.add(class, magazine);
        Some(magazine)
    }

    /// Fills an empty magazine, and grants the first place, which it leaves out. Gives also how many were lent.
    fn lay_places(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        magazine: usize,
        size: u64,
    ) -> Option<(usize, Taken)> {
        let (allocator, tracker) = (&*attached.allocator, &self.manager.tracker);
        let Plan::Ring(ring) = &allocator.ground.plan else { return None };
        let _lent = allocator.counters.loans();
        if !allocator.lent.serves(attached.era) {
            return None; // it was recalled since we looked
        }
        let mut lying = allocator.lying();
        lying.take_ended(ring, &self.table);
        let (steps, wanted) = (attached.course.steps, attached.course.next);
        let mut places = lying.take_idle(tracker, &self.table, records);
        let missing = wanted.saturating_sub(places.len());
        if missing > 0 {
            self.lend_records(attached, records, magazine, missing, &mut places);
        }
        let taken = ring.take_run(steps, wanted.min(places.len()) as u64);
        let count = taken.map_or(0, |(_, count)| count as usize);
        if count < places.len() {
            lying.idle.extend(places.drain(count..));
            lying.put_idle(tracker, &self.table, records);
        }
        let Grant { offset, size: granted } = taken?.0;
        let (slots, place) =
            (places.iter().map(|lain| lain.slot), Place::grant(allocator.ground.span.0, offset));
        tracker.lay_lent(slots, &self.table, magazine, place, granted);
        let first = places.first()?.slot;
        lying.add(offset, steps, places);
        let handle = self.table.hand_out(first, magazine, Some(size))?;
        let home = IsolateTable::home_of(magazine);
        Some((count, Taken { handle, offset, granted, home, stretch_at: 0 }))
    }

    /// Lends so many records of the stock, which have no place yet.
    #[cold]
    fn lend_records(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        magazine: usize,
        count: usize,
        places: &mut Vec<Lain>,
    ) {
        let (tracker, nowhere) = (&self.manager.tracker, Place::grant(attached.allocator.ground.span.0, 0));
        let alignment = attached.allocator.measures.alignment;
        let loan = Loan { owner: Owner::grant(self.number), label: 0, alignment };
        for slot in self.lendable_records(records, count) {
            tracker.bind(slot, nowhere, 0);
            let record = tracker.shared(slot);
            let is_lent = record.is_some_and(|record| record.lend(slot, &self.table, magazine, loan));
            debug_assert!(is_lent);
            let generation = self.table.generation(slot).unwrap_or(Generation::MAX);
            places.push(Lain { slot, generation });
        }
    }
}
