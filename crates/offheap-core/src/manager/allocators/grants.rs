//! Grants: allocate, free, pin, through one isolate.

use super::ground::Plan;
use super::lending::Loans;
use super::places::Course;
use super::stock::{begin, put_record};
use super::waiting::{Bins, Regrant};
use super::{Allocator, AllocatorId, Isolate};
use crate::alloc::arena::Stay;
use crate::alloc::strategy::{Grant, Strategy};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, Ordering, fence, lock};
use crate::raw;
use crate::tracker::counters::Counter;
use crate::tracker::isolate::IsolateTable;
use crate::tracker::label::Label;
use crate::tracker::record::Birth;
use crate::tracker::state::{Extent, Handle, Origin, Owner, Place, Slot, State};

/// What a free of a frozen grant gives, see [`Record::freeze`]; and one of a grant that has as many pins.
const FROZEN: Error = Error::new(Code::InUse, 0, State::PINS_MAX);

/// What an isolate keeps of the allocators that it uses.
#[derive(Debug, Default)]
pub struct Door {
    pub(super) attached: Vec<Option<Attached>>, // by number
    pub(super) records: Vec<Slot>,              // free ones, without memory
}

/// An allocator, as one isolate uses it.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) allocator: Arc<Allocator>,
    pub(super) counter: Counter,
    pub(super) arena_pins: u64,        // this isolate's, to be dropped when it ends
    pub(super) waiting: Bins,          // what it freed last
    pub(super) loans: Loans,           // what its JavaScript may hand out by itself
    pub(super) stretch: Option<usize>, // the same, of an arena: the magazine of its piece
    pub(super) course: Course,         // the same, of a ring
    pub(super) era: u64,               // of both: what was lent before it is lent no longer
}

/// What `allocate` gives. Of an arena, the handle is a level and its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Decides whether it is still there.
    pub handle: Handle,
    /// Bytes from the start of the region.
    pub offset: u64,
    /// Bytes granted.
    pub granted: u64,
    /// First word of the magazine in which freed grants of the class are kept for JavaScript; 0 when there is none.
    pub home: usize,
    /// Of an arena: where the piece begins that the magazine at `home` lends, bytes from the start of the region.
    pub stretch_at: u64,
}

impl From<Handle> for Stay {
    /// An arena's handle is a stay.
    fn from(handle: Handle) -> Self {
        Self { level: handle.slot.0, generation: handle.generation.0 }
    }
}

impl Door {
    #[inline]
    pub(super) fn attached(&mut self, id: AllocatorId) -> Result<(&mut Attached, &mut Vec<Slot>)> {
        let attached = self.attached.get_mut(id.number as usize).and_then(Option::as_mut);
        match attached {
            Some(attached)
                if attached.allocator.id == id && !attached.allocator.closed.load(Ordering::Acquire) =>
            {
                Ok((attached, &mut self.records))
            }
            _ => Err(Code::Closed.into()),
        }
    }

    /// Lets go of a closed allocator, and of what was freed while it was being closed.
    #[cold]
    fn leave_closed(&mut self, id: AllocatorId, isolate: &Isolate) -> Error {
        if let Some(place) = self.attached.get_mut(id.number as usize)
            && let Some(closed) = place.as_mut().filter(|attached| attached.allocator.id == id)
            && closed.allocator.is_over()
        {
            closed.empty_bins(&isolate.manager.tracker, &mut self.records);
            isolate.forget_loans(closed);
            *place = None;
        }
        Code::Closed.into()
    }
}

impl Isolate {
    /// From now on this isolate may use an allocator.
    pub(super) fn attach(&self, allocator: &Arc<Allocator>) {
        let mut door = self.allocators.borrow_mut();
        let index = allocator.id.number as usize;
        if door.attached.len() <= index {
            door.attached.resize_with(index + 1, || None);
        }
        let Door { attached, records } = &mut *door;
        let place = &mut attached[index];
        if place.as_ref().is_some_and(|attached| attached.allocator.id == allocator.id) {
            return;
        }
        if !allocator.sole.is_openers(&self.busy) {
            allocator.sole.share(&allocator.ground.was_shared);
        }
        if let Some(closed) = place {
            closed.empty_bins(&self.manager.tracker, records); // what was freed while it was closed
            self.forget_loans(closed);
        }
        let (allocator, counter) = (Arc::clone(allocator), allocator.counters.counter());
        if matches!(allocator.ground.plan, Plan::Ring(_)) {
            self.recall_from_others(&allocator, &counter, records); // a ring lends to who has it alone
        }
        let waiting = Bins::of(&allocator.ground);
        *place = Some(Attached {
            era: allocator.lent.era(),
            allocator,
            counter,
            arena_pins: 0,
            waiting,
            loans: Loans::default(),
            stretch: None,
            course: Course::default(),
        });
    }

    /// Grants at least `size` bytes of an allocator's region.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for 0 and for more than it can ever hold, with that maximum;
    /// [`Code::RegionFull`] with the largest that fits; [`Code::InUse`] when a grant that would have to
    /// be overwritten is pinned; [`Code::Closed`]; [`Code::OutOfMemory`].
    pub fn allocate_in(&self, id: AllocatorId, size: u64, label: Label) -> Result<Taken> {
        let mut door = self.allocators.borrow_mut();
        let door = &mut *door;
        let Ok((attached, records)) = door.attached(id) else {
            return Err(door.leave_closed(id, self));
        };
        if matches!(attached.allocator.ground.plan, Plan::Arena(_)) {
            return self.allocate_in_arena(attached, records, size);
        }
        if let Plan::Ring(_) = &attached.allocator.ground.plan
            && !attached.allocator.measures.overwrite
        {
            return self.allocate_in_ring(attached, records, size, label);
        }
        self.renew_loans(attached, records);
        let turn = self.busy.begin(&attached.allocator.sole);
        let mut home = 0;
        if let Some(class) = attached.class_of(size) {
            if let Some(magazine) = attached.loans.of(class) {
                home = IsolateTable::home_of(magazine);
                if self.table.magazine_length(magazine) > 0
                    && let Some(taken) = self.grant_newest(attached, records, magazine, size, label)
                {
                    return Ok(taken);
                }
            }
            let birth = self.birth(attached, size, label);
            if let Some(again) = attached.grant_again(class, &self.manager.tracker, birth, turn.sole) {
                attached.counter.granted(size);
                let Regrant { handle, offset, granted } = again;
                return Ok(Taken { handle, offset, granted, home, stretch_at: 0 });
            }
            if home > 0
                && label.0 == 0
                && let Some(taken) = self.grant_refilled(attached, records, home, size)
            {
                return Ok(taken);
            }
        }
        let returned = attached.allocator.returned();
        let first = self.allocate_fresh(attached, records, size, label);
        match first {
            Err(refused) if refused.code == Code::RegionFull => {
                let took = self.take_loans_back(attached, records) | self.recall_for_want(attached, records);
                let allocator = &attached.allocator;
                if !took && allocator.ground.waits.count() == 0 && allocator.returned() == returned {
                    return first; // nothing waited, and nothing came back while we looked
                }
                self.allocate_reclaimed(attached, records, size, label)
            }
            first => first.map(|taken| Taken { home, ..taken }),
        }
    }

    /// Allocates in a full region, of which something may wait somewhere.
    #[cold]
    fn allocate_reclaimed(
        &self,
        attached: &mut Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
    ) -> Result<Taken> {
        self.reclaim(attached, records);
        self.allocate_fresh(attached, records, size, label)
    }

    /// Allocates what the strategy has to cut.
    #[inline(always)] // as `open_grant`
    fn allocate_fresh(
        &self,
        attached: &Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
    ) -> Result<Taken> {
        // Each strategy by its own name: the compiler then keeps the grant in registers.
        match &attached.allocator.ground.plan {
            Plan::Arena(_) => Err(Code::Corrupted.into()), // never comes here
            Plan::Ring(ring) => self.allocate_overwriting(ring, attached, records, size, label), // nor another ring
            Plan::Buddy(buddy) => self.open_grant(buddy.allocate(size)?, attached, records, size, label),
            Plan::Slab(slab) => self.open_grant(slab.allocate(size)?, attached, records, size, label),
            Plan::ObjectPool(pool) => self.open_grant(pool.allocate(size)?, attached, records, size, label),
            Plan::Hybrid(hybrid) => self.open_grant(hybrid.allocate(size)?, attached, records, size, label),
        }
    }

    /// Gives everything back to an allocator's strategy that waits, here or in other isolates.
    pub(super) fn reclaim(&self, attached: &mut Attached, records: &mut Vec<Slot>) {
        attached.empty_bins(&self.manager.tracker, records);
        self.manager.reclaim(&attached.allocator.ground);
    }

    #[inline]
    pub(super) fn birth(&self, attached: &Attached, size: u64, label: Label) -> Birth {
        Birth {
            extent: Extent { size, label: label.0 },
            origin: Origin { born_ms: raw::now_ms(), owner: Owner::grant(self.number) },
            alignment: attached.allocator.measures.alignment,
        }
    }

    /// Opens the record of what a strategy granted, or gives it back.
    #[inline(always)] // its result, passed through memory, would be read before the stores of its parts are through
    pub(super) fn open_grant(
        &self,
        grant: Grant,
        attached: &Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
    ) -> Result<Taken> {
        let ground = &attached.allocator.ground;
        let birth = self.birth(attached, size, label);
        let place = Place::grant(ground.span.0, grant.offset);
        match begin(&self.manager.tracker, records, place, birth) {
            Ok(handle) => {
                attached.counter.granted(size);
                Ok(Taken { handle, offset: grant.offset, granted: grant.size, home: 0, stretch_at: 0 })
            }
            Err(error) => ground.put(place).and(Err(error)),
        }
    }

    /// Ends a grant. Exactly one free of a handle succeeds. `size`: what was asked, for an arena, which
    /// knows no single grant.
    ///
    /// # Errors
    /// [`Code::DoubleFree`]; [`Code::InUse`] while pinned; [`Code::ForeignBlock`] for what another
    /// owner holds; [`Code::Closed`]; of an arena [`Code::UseAfterFree`] after a rewind or reset.
    pub fn free_in(&self, id: AllocatorId, handle: Handle, size: u64) -> Result<()> {
        match self.free_now(id, handle, size) {
            Err(refused) if refused == FROZEN => self.free_later(id, handle, size),
            freed => freed,
        }
    }

    /// Frees when whoever resets or closes the allocator is done: then the handle is dead, or was left as it was.
    #[cold]
    fn free_later(&self, id: AllocatorId, handle: Handle, size: u64) -> Result<()> {
        if let Ok(allocator) = self.manager.allocators.get(id) {
            drop(lock(&allocator.ending));
        }
        self.free_now(id, handle, size)
    }

    fn free_now(&self, id: AllocatorId, handle: Handle, size: u64) -> Result<()> {
        let mut door = self.allocators.borrow_mut();
        let door = &mut *door;
        let Ok((attached, records)) = door.attached(id) else {
            return Err(door.leave_closed(id, self));
        };
        let turn = self.busy.begin(&attached.allocator.sole);
        if let Plan::Arena(arena) = &attached.allocator.ground.plan {
            return arena.give(handle.into(), size, turn.sole);
        }
        let tracker = &self.manager.tracker;
        let record = tracker.shared(handle.slot).ok_or(Error::from(Code::DoubleFree))?;
        if record.state().has(State::LENT) && self.free_lent(attached, records, handle)? {
            return Ok(());
        }
        let place = record.place();
        fence(Ordering::Acquire); // as in `Tracker::shared_row`: if it lives now, the place is of this owner
        if !record.is_live(handle.generation) {
            return Err(self.dead_error(handle));
        }
        if !attached.allocator.ground.holds(place) {
            return Err(Code::ForeignBlock.into());
        }
        // After the look: what was lent a moment ago has its size since the record speaks. It is this owner's if the record
        // still is when we end it.
        let extent = record.extent();
        if let Some(class) = attached.class_at(place.offset_bytes(), extent.size) {
            if self.lend_grant(attached, records, class, handle, &record)? {
                return Ok(());
            }
            let mut kept = attached.keep(class, handle, &record, turn.sole)?;
            if !kept {
                attached.make_room(class, place.offset_bytes(), tracker, records);
                kept = attached.keep(class, handle, &record, turn.sole)?;
            }
            if kept {
                attached.counter.freed(extent.size);
                return Ok(());
            }
        }
        if turn.sole {
            record.end_alone(handle.generation, 0)?;
        } else {
            record.end(handle.generation)?;
        }
        put_record(tracker, records, handle.slot);
        attached.allocator.ground.put(place)?;
        attached.counter.freed(extent.size);
        Ok(())
    }

    /// Why there is nothing to free: it is over, or lent to another isolate, whose script has it.
    #[cold]
    fn dead_error(&self, handle: Handle) -> Error {
        let row = self.manager.tracker.shared_row(handle.slot);
        let is_elsewhere = row.is_some_and(|row| row.handle == handle);
        if is_elsewhere { Code::ForeignBlock.into() } else { Code::DoubleFree.into() }
    }

    /// Takes a pin: what it holds cannot be freed, reset or closed until it is dropped.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::ForeignBlock`]; [`Code::InUse`] at 65,535 pins; [`Code::Closed`].
    pub fn pin_in(&self, id: AllocatorId, handle: Handle) -> Result<()> {
        fence(Ordering::SeqCst); // see `end_all`: our grant before, the look whether it is closed after
        let mut door = self.allocators.borrow_mut();
        let (attached, _) = door.attached(id)?;
        let tracker = &self.manager.tracker;
        let Plan::Arena(arena) = &attached.allocator.ground.plan else {
            self.adopt_grant(attached, handle)?;
            let record = attached.allocator.ground.live(tracker, handle)?;
            return record.pin(handle.generation).map(|_| ());
        };
        // The lock is held by whoever changes levels: a stay that is current stays so until we pinned.
        let own = lock(&attached.allocator.ending);
        let own = own.as_ref().ok_or(Error::from(Code::Closed))?;
        if !arena.is_live(handle.into()) {
            return Err(Code::UseAfterFree.into());
        }
        tracker.live(*own)?.pin(own.generation)?;
        attached.arena_pins += 1;
        Ok(())
    }

    /// Drops a pin.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::ForeignBlock`]; [`Code::Corrupted`] when there is none;
    /// [`Code::Closed`].
    pub fn unpin_in(&self, id: AllocatorId, handle: Handle) -> Result<()> {
        let mut door = self.allocators.borrow_mut();
        let (attached, _) = door.attached(id)?;
        let tracker = &self.manager.tracker;
        if attached.allocator.ground.plan.strategy().is_some() {
            self.adopt_grant(attached, handle)?;
            let record = attached.allocator.ground.live(tracker, handle)?;
            return record.unpin(handle.generation).map(|_| ());
        }
        let own = lock(&attached.allocator.ending);
        let own = own.as_ref().ok_or(Error::from(Code::Closed))?;
        attached.arena_pins = attached.arena_pins.checked_sub(1).ok_or(Error::from(Code::Corrupted))?;
        tracker.live(*own)?.unpin(own.generation).map(|_| ())
    }
}
