//! Lending: grants that were freed, or cut in advance, and that an isolate's JavaScript may hand out by itself, by class,
//! until somebody recalls them ([`super::recall`]). A loan keeps its record and its place; whatever a lent grant meets but
//! a free makes the record speak for it again. Rings lend in another way ([`super::places`]).

use super::grants::{Attached, Taken};
use super::ground::Plan;
use super::places::Course;
use super::stock::put_record;
use super::{Allocator, AllocatorId, Isolate};
use crate::base::error::{Code, Result};
use crate::base::sync::Arc;
use crate::raw;
use crate::tracker::counters::{Back, Counter, LentFrom};
use crate::tracker::isolate::IsolateTable;
use crate::tracker::label::Label;
use crate::tracker::lent::{Front, Loan, moment};
use crate::tracker::magazine::MAGAZINE_SLOTS;
use crate::tracker::record::Record;
use crate::tracker::state::{Generation, Handle, Owner, Slot};

/// The largest request that can be lent, in bytes: JavaScript takes none that is larger, and what it does not take is
/// granted again sooner out of what waits. The table has 16 bits for it.
pub(super) const LENT_BYTES_MAX: u64 = 0x7fff;
/// No class of an allocator keeps more than this part of the region from others.
const REGION_PART: u64 = 64;

/// Classes of one allocator of which there are magazines at once.
const CLASSES: usize = 64;

/// One isolate's magazines of one allocator, by class.
#[derive(Debug, Default)]
pub(super) struct Loans {
    magazines: Vec<Option<(u32, usize)>>, // empty until there is one
}

impl Loans {
    /// The magazine of a class.
    #[inline]
    pub(super) fn of(&self, class: u32) -> Option<usize> {
        let (known, magazine) = (*self.magazines.get(class as usize % CLASSES)?)?;
        (known == class).then_some(magazine)
    }

    /// Whether a class may have one: a class that has the place of another stays without.
    pub(super) fn has_place(&self, class: u32) -> bool {
        self.magazines.get(class as usize % CLASSES).is_none_or(Option::is_none)
    }

    pub(super) fn add(&mut self, class: u32, magazine: usize) {
        self.magazines.resize(CLASSES, None);
        self.magazines[class as usize % CLASSES] = Some((class, magazine));
    }

    fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.magazines.iter().flatten().map(|(_, magazine)| *magazine)
    }
}

impl Isolate {
    /// Gives back what lies in magazines of an allocator, this isolate's and others', so that it counts as free.
    pub fn settle_loans(&self, id: AllocatorId) {
        let mut door = self.allocators.borrow_mut();
        let door = &mut *door;
        match door.attached(id) {
            Ok((attached, records)) => self.settle_attached(attached, records),
            Err(_) => self.settle_others(id, &mut door.records),
        }
    }

    pub(super) fn settle_attached(&self, attached: &Attached, records: &mut Vec<Slot>) {
        match &attached.allocator.ground.plan {
            // Others' pieces stay: what could go back of them counts as free, and what could not would be lost.
            Plan::Arena(_) => return self.settle_stretch(attached, false),
            Plan::Ring(_) => return, // what is not taken or has ended counts as free, see `usage_of_ring`
            _ => {}
        }
        if !self.recall_from_others(&attached.allocator, &attached.counter, records) {
            self.take_loans_back(attached, records);
        }
    }

    /// The same, of an allocator that this isolate does not use.
    #[cold]
    fn settle_others(&self, id: AllocatorId, records: &mut Vec<Slot>) {
        let Ok(allocator) = self.manager.allocators.get(id) else { return };
        if !matches!(allocator.ground.plan, Plan::Arena(_) | Plan::Ring(_)) {
            // An only user's stores are no matter: they are at no record that is lent.
            self.recall_from_others(&allocator, &allocator.counters.counter(), records);
        }
    }

    /// Ends a live grant by lending it to its class's magazine. False, with nothing changed, when it cannot be lent.
    ///
    /// # Errors
    /// As [`Record::end`].
    pub(super) fn lend_grant(
        &self,
        attached: &mut Attached,
        records: &mut Vec<Slot>,
        class: u32,
        handle: Handle,
        record: &Record<'_>,
    ) -> Result<bool> {
        let size = record.extent().size;
        let lasts =
            handle.generation.0 + 1 < Generation::MAX.0 && (handle.slot.0 as usize) < self.table.slots();
        if size > LENT_BYTES_MAX || !lasts || !self.may_lend_of(&attached.allocator) {
            return Ok(false);
        }
        self.renew_loans(attached, records);
        let Some(magazine) = self.magazine_of_class(attached, class, record.place().offset_bytes()) else {
            return Ok(false);
        };
        if self.table.magazine_length(magazine) >= self.table.capacity(magazine) {
            self.shrink_loan(attached, records, magazine, self.table.capacity(magazine).div_ceil(2));
        }
        let lent = attached.allocator.counters.loans();
        if !attached.allocator.lent.serves(attached.era) {
            return Ok(false); // it was recalled since we looked
        }
        record.end(handle.generation)?;
        let alignment = attached.allocator.measures.alignment;
        let loan = Loan { owner: Owner::grant(self.number), label: 0, alignment };
        let is_lent = record.lend(handle.slot, &self.table, magazine, loan);
        debug_assert!(is_lent);
        self.table.load(magazine, handle.slot);
        self.table.note_taken(magazine);
        drop(lent);
        attached.counter.freed(size);
        Ok(true)
    }

    pub(super) fn may_lend_of(&self, allocator: &Allocator) -> bool {
        super::sole::has_fence() && !allocator.lent.rests() && self.may_lend()
    }

    /// The magazine of a class; opened for grants as large as the one at an offset.
    fn magazine_of_class(&self, attached: &mut Attached, class: u32, offset: u64) -> Option<usize> {
        if let Some(magazine) = attached.loans.of(class) {
            return Some(magazine);
        }
        if !attached.loans.has_place(class) {
            return None;
        }
        let ground = &attached.allocator.ground;
        let granted = ground.plan.strategy()?.granted(offset)?;
        let most = (ground.measures.total / REGION_PART / granted).min(MAGAZINE_SLOTS as u64) as usize;
        if most == 0 {
            return None;
        }
        let magazine = self.open_loan(attached, most, Back::Magazine)?;
        attached.loans.add(class, magazine);
        Some(magazine)
    }

    /// Opens a magazine of an allocator in this isolate's era, which its script reads there. `back`: as
    /// [`LentFrom::back`].
    pub(super) fn open_loan(&self, attached: &Attached, capacity: usize, back: Back) -> Option<usize> {
        let allocator = &attached.allocator;
        let mut loans = allocator.counters.loans();
        if !allocator.lent.serves(attached.era) {
            return None;
        }
        let magazine = self.open_magazine(capacity, 0, false)?;
        self.table.set_turn(magazine, self.manager.allocators.turn_of(allocator.id.number));
        loans.push(LentFrom { table: Arc::clone(&self.table), magazine, back, piece: None });
        Some(magazine)
    }

    /// Ends a lent grant that needs a call, since its magazine is full or the clock stood. False when it is none, or
    /// is lent no longer.
    ///
    /// # Errors
    /// [`Code::ForeignBlock`] for what somebody else lent.
    pub(super) fn free_lent(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        handle: Handle,
    ) -> Result<bool> {
        let Some((record, _, magazine)) = self.lent(handle) else { return Ok(false) };
        if !attached.allocator.ground.holds(record.place()) {
            return Err(Code::ForeignBlock.into());
        }
        let capacity = self.table.capacity(magazine);
        if self.table.magazine_length(magazine) >= capacity {
            self.shrink_loan(attached, records, magazine, capacity.div_ceil(2));
        }
        let lent = attached.allocator.counters.loans();
        let Some((_, front, magazine)) = self.lent(handle) else { return Ok(false) }; // since we looked
        let allocator = &attached.allocator;
        if capacity == 0 || !allocator.lent.serves(attached.era) || !self.may_lend_of(allocator) {
            drop(lent);
            self.adopt_grant(attached, handle)?;
            return Ok(false);
        }
        self.table.end(handle, magazine, front.size);
        self.table.load(magazine, handle.slot);
        Ok(true)
    }

    /// Gives the oldest grants of a magazine back to the strategy.
    fn shrink_loan(&self, attached: &Attached, records: &mut Vec<Slot>, magazine: usize, count: usize) {
        let mut slots = Vec::new();
        self.table.unload(magazine, count, |slot| slots.push(slot));
        if slots.is_empty() {
            return;
        }
        let _lent = attached.allocator.counters.loans();
        for slot in slots {
            self.return_loan(&attached.allocator, records, slot);
        }
    }

    /// A grant that an allocator lent to this isolate and nobody has. What another isolate took over still stands in the
    /// magazine, whatever its record is of by now. The caller holds the lock of the loans.
    fn idle_loan(&self, allocator: &Allocator, slot: Slot) -> Option<(Record<'static>, Front)> {
        let record = self.manager.tracker.shared(slot)?;
        let front = self.front_of(&record, slot)?;
        (!front.generation.is_live() && allocator.ground.holds(record.place())).then_some((record, front))
    }

    /// Gives a lent grant that nobody has back to the strategy, and its record to the stock.
    pub(super) fn return_loan(&self, allocator: &Allocator, records: &mut Vec<Slot>, slot: Slot) {
        let Some((record, _)) = self.idle_loan(allocator, slot) else { return };
        record.take_back(slot, &self.table);
        allocator.put_loan(&record);
        put_record(&self.manager.tracker, records, slot);
    }

    /// Gives everything that lies in an allocator's magazines back to the strategy. Whether there was any.
    pub(super) fn take_loans_back(&self, attached: &Attached, records: &mut Vec<Slot>) -> bool {
        let mut some = false;
        for magazine in attached.loans.all() {
            some |= self.table.magazine_length(magazine) > 0;
            self.table.note_taken(magazine);
            self.shrink_loan(attached, records, magazine, MAGAZINE_SLOTS);
        }
        some
    }

    /// Before another grant: ends what was recalled.
    #[inline]
    pub(super) fn renew_loans(&self, attached: &mut Attached, records: &mut Vec<Slot>) {
        if attached.allocator.lent.era() != attached.era {
            self.begin_era(attached, records);
        }
    }

    #[cold]
    fn begin_era(&self, attached: &mut Attached, records: &mut Vec<Slot>) {
        let era = attached.allocator.lent.era(); // first: a recall that comes now is for the next look
        let is_own = |loan: &LentFrom| Arc::ptr_eq(&loan.table, &self.table);
        if attached.allocator.counters.loans().iter().any(is_own) {
            self.adopt_loans(attached, records); // who recalled them has not come to them yet
        }
        self.forget_loans(attached);
        attached.era = era;
    }

    /// Hands out the newest grant of a magazine, as JavaScript would: the clock stood, or something is asked that it
    /// cannot do.
    #[cold]
    pub(super) fn grant_newest(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        magazine: usize,
        size: u64,
        label: Label,
    ) -> Option<Taken> {
        let home = IsolateTable::home_of(magazine);
        self.table.note_taken(magazine);
        while let Some(slot) = self.table.unload_newest(magazine) {
            let _lent = attached.allocator.counters.loans();
            let Some((record, front)) = self.idle_loan(&attached.allocator, slot) else { continue };
            let (place, offset) = (record.place(), record.place().offset_bytes());
            let granted = attached.allocator.ground.plan.strategy()?.granted(offset)?;
            let taken = |handle| Taken { handle, offset, granted, home, stretch_at: 0 };
            let fits = front.generation < Generation::MAX && size <= LENT_BYTES_MAX && label.0 == 0;
            if fits && self.may_lend_of(&attached.allocator) {
                return self.table.begin(slot, magazine, Some(size)).map(taken);
            }
            record.take_back(slot, &self.table);
            attached.allocator.forget_place(place);
            if let Some((generation, _)) = record.begin(self.birth(attached, size, label)) {
                attached.counter.granted(size);
                return Some(taken(Handle { slot, generation }));
            }
            let put = attached.allocator.ground.put(place); // the record is spent, not its memory
            debug_assert!(put.is_ok());
            put_record(&self.manager.tracker, records, slot);
        }
        None
    }

    /// Lets the record alone speak for a lent grant in the program's hands. Nothing happens to any that is not lent.
    ///
    /// # Errors
    /// [`Code::ForeignBlock`] for what somebody else lent.
    pub(super) fn adopt_grant(&self, attached: &Attached, handle: Handle) -> Result<()> {
        let _lent = attached.allocator.counters.loans();
        let Some((record, front, magazine)) = self.lent(handle) else { return Ok(()) };
        if !attached.allocator.ground.holds(record.place()) {
            return Err(Code::ForeignBlock.into());
        }
        record.speak(handle, front, moment(front.born, raw::now_ms()));
        attached.allocator.forget_place(record.place());
        self.table.forget(handle.slot, magazine, front.size, 1);
        self.table.repeat(Handle { generation: Generation(0), ..handle }); // the table says nothing of it any more
        attached.counter.granted(front.size);
        Ok(())
    }

    /// Ends all loans of an allocator to this isolate: what nobody has is free, for the rest the records speak. The
    /// records tell what is lent, for the isolate may have been stopped anywhere. Its magazines stay, for what comes
    /// next may be refused, and then the script goes on with them.
    pub(super) fn adopt_loans(&self, attached: &mut Attached, records: &mut Vec<Slot>) {
        self.settle_stretch(attached, true);
        if attached.loans.magazines.is_empty() || attached.allocator.is_over() {
            return; // or its loans were taken over, and its ground may be another's
        }
        self.adopt_places(attached, records);
        self.take_loans_back(attached, records);
        let mut lent = Vec::new();
        self.manager.tracker.each_lent(&self.table, |handle, record| {
            if attached.allocator.ground.holds(record.place()) {
                lent.push(handle);
            }
        });
        for handle in lent {
            if handle.generation.is_live() {
                let adopted = self.adopt_grant(attached, handle);
                debug_assert!(adopted.is_ok());
            } else {
                let _lent = attached.allocator.counters.loans();
                self.return_loan(&attached.allocator, records, handle.slot);
            }
        }
    }

    /// Nothing of an allocator is lent to this isolate any more.
    pub(super) fn forget_loans(&self, attached: &mut Attached) {
        self.forget_stretch(attached);
        attached.course = Course::default();
        for (_, magazine) in std::mem::take(&mut attached.loans.magazines).into_iter().flatten() {
            self.forget_loan(attached, magazine);
        }
    }
}

impl Isolate {
    /// What was taken out of a magazine is counted elsewhere from now on, and the magazine is another's.
    fn forget_loan(&self, attached: &Attached, magazine: usize) {
        self.close_loan(attached, magazine, |counter| counter.passed(self.table.taken_of(magazine)));
    }

    /// Whether a loan is this isolate's, in a magazine.
    pub(super) fn is_own(&self, loan: &LentFrom, magazine: usize) -> bool {
        loan.magazine == magazine && Arc::ptr_eq(&loan.table, &self.table)
    }

    /// A magazine is another's. `count`: what it counted, unless who took over its loans has done so.
    pub(super) fn close_loan(&self, attached: &Attached, magazine: usize, count: impl FnOnce(&Counter)) {
        let mut loans = attached.allocator.counters.loans();
        if let Some(index) = loans.iter().position(|loan| self.is_own(loan, magazine))
            && loans.swap_remove(index).back != Back::Listed
        {
            count(&attached.counter);
        }
        self.abandon_magazine(magazine);
    }
}
