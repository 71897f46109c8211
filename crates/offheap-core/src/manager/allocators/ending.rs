//! What ends many grants at once: reset, rewind, close, the end of an isolate. All or nothing: one
//! pinned grant refuses, and then nothing has changed.

use super::grants::{Attached, Door};
use super::ground::{Ground, Plan};
use super::sight::Sight;
use super::stock::{begin, give, put_record};
use super::{Allocator, AllocatorId, Isolate, Manager, Registry};
use crate::alloc::arena::Mark;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, Ordering, fence, lock};
use crate::raw;
use crate::tracker::counters::Counter;
use crate::tracker::record::Birth;
use crate::tracker::state::{AlignmentCode, Extent, Handle, Origin, Owner, Place, Slot};
use std::collections::HashSet;

impl Manager {
    /// An arena's own record, which stands for all its grants; of other grounds nothing.
    pub(super) fn begin_arena(
        &self,
        ground: &Ground,
        alignment: AlignmentCode,
        isolate: u32,
    ) -> Result<Option<Handle>> {
        let Plan::Arena(_) = &ground.plan else { return Ok(None) };
        let birth = Birth {
            extent: Extent { size: 0, label: 0 },
            origin: Origin { born_ms: raw::now_ms(), owner: Owner::arena(isolate) },
            alignment,
        };
        let place = Place::grant(ground.span.0, 0);
        let mut records = Vec::new();
        begin(&self.tracker, &mut records, place, birth).map(Some).inspect(|_| {
            give(&self.tracker, &mut records, usize::MAX);
        })
    }

    /// Handles of the live grants of a ground, and their pins together.
    fn grants_of(&self, ground: &Ground) -> (Vec<Handle>, u64) {
        let (mut handles, mut pins) = (Vec::new(), 0);
        self.tracker.scan(|row| {
            if ground.holds(row.place) && row.owner.kind() == Owner::GRANT {
                handles.push(row.handle);
                pins += row.pins;
            }
        });
        (handles, pins)
    }

    /// Freezes all grants of a ground, or none.
    fn freeze(&self, ground: &Ground) -> Result<Vec<Handle>> {
        let (handles, pins) = self.grants_of(ground);
        if pins > 0 {
            return Err(Error::new(Code::InUse, 0, pins));
        }
        self.freeze_all(handles)
    }

    /// As `freeze`, for grants of which one may have been pinned since we looked.
    pub(super) fn freeze_all(&self, handles: Vec<Handle>) -> Result<Vec<Handle>> {
        let mut frozen: Vec<Handle> = Vec::with_capacity(handles.len());
        for handle in handles {
            let Some(record) = self.tracker.shared(handle.slot) else { continue };
            match record.freeze(handle.generation) {
                Ok(_) => frozen.push(handle),
                Err(error) if error.code == Code::InUse => {
                    self.thaw_all(frozen);
                    return Err(error);
                }
                Err(_) => {} // its owner freed it meanwhile
            }
        }
        Ok(frozen)
    }

    /// Undoes `freeze`.
    fn thaw_all(&self, frozen: Vec<Handle>) {
        for handle in frozen {
            let Some(record) = self.tracker.shared(handle.slot) else { continue };
            let thawed = record.thaw(handle.generation);
            // Its isolate may have ended meanwhile, which ends what it held whatever its pins.
            debug_assert!(thawed.is_ok() || !record.is_live(handle.generation));
        }
    }

    /// Freezes for good what was granted while `closed` was being set: from now on nobody can be granted or
    /// pin anything.
    fn freeze_late(&self, ground: &Ground, frozen: Vec<Handle>) -> Result<Vec<Handle>> {
        let known: HashSet<Handle> = frozen.iter().copied().collect();
        let mut late = self.grants_of(ground).0;
        late.retain(|handle| !known.contains(handle));
        match self.freeze_all(late) {
            Ok(late) => Ok(frozen.into_iter().chain(late).collect()),
            Err(error) => {
                self.thaw_all(frozen);
                Err(error)
            }
        }
    }

    /// Ends a grant whatever its pins. Where its memory lies, which goes back by [`put`]; nothing when its owner was faster.
    fn end_frozen(&self, handle: Handle, counter: Option<&Counter>) -> Option<Place> {
        let record = self.tracker.shared(handle.slot)?;
        let (place, extent) = (record.place(), record.extent()); // before the end: then they are the next owner's
        record.end_frozen(handle.generation).ok()?;
        if let Some(counter) = counter {
            counter.freed(extent.size);
        }
        Some(place)
    }
}

/// Gives the memory of an ended grant back; of a closed allocator its bytes stay.
fn put(ground: &Ground, place: Place, closed: bool) {
    let put = if closed { ground.put_as_is(place) } else { ground.put(place) };
    debug_assert!(put.is_ok());
}

impl Isolate {
    /// Ends every grant of an allocator.
    ///
    /// # Errors
    /// [`Code::InUse`] with the number of pins; [`Code::Closed`].
    pub fn reset_allocator(&self, id: AllocatorId) -> Result<()> {
        self.without_loans(id, |attached, records| {
            self.end_all(&attached.allocator, &attached.counter, records, false)
        })
    }

    /// Closes an allocator: its grants end, its name is free. Its pages go back when every isolate that saw
    /// its region has left it, this one too. Closing it twice does nothing.
    ///
    /// # Errors
    /// [`Code::InUse`] with the number of pins.
    pub fn close_allocator(&self, id: AllocatorId) -> Result<()> {
        let closed = self.without_loans(id, |attached, records| {
            self.end_all(&attached.allocator, &attached.counter, records, true)?;
            self.reclaim(attached, records);
            Ok(Arc::clone(&attached.allocator))
        });
        let allocator = match closed {
            Err(error) if error.code == Code::Closed => return Ok(()),
            closed => closed?,
        };
        allocator.sole.leave();
        let registry = &self.manager.allocators;
        let mut open = lock(&registry.state);
        open.names.remove(&allocator.name);
        open.numbers[id.number as usize] = None;
        registry.charged_bytes.fetch_sub(allocator.measures.total, Ordering::Relaxed);
        open.idle_numbers.push(id.number);
        self.manager.retire_region(&mut open, id, Arc::clone(&allocator.ground));
        drop(open);
        self.allocators.borrow_mut().attached[id.number as usize] = None;
        Ok(())
    }

    /// Runs `act` on an open allocator of this isolate.
    fn with<T>(
        &self,
        id: AllocatorId,
        act: impl FnOnce(&mut Attached, &mut Vec<Slot>) -> Result<T>,
    ) -> Result<T> {
        let mut door = self.allocators.borrow_mut();
        let (attached, records) = door.attached(id)?;
        act(attached, records)
    }

    /// The same, while nothing of it is lent, to whomever.
    fn without_loans<T>(
        &self,
        id: AllocatorId,
        act: impl FnOnce(&mut Attached, &mut Vec<Slot>) -> Result<T>,
    ) -> Result<T> {
        self.with(id, |attached, records| {
            let allocator = Arc::clone(&attached.allocator);
            let _recall = self.recall(&allocator, &attached.counter, records);
            self.forget_loans(attached);
            act(attached, records)
        })
    }

    fn end_all(
        &self,
        allocator: &Allocator,
        counter: &Counter,
        records: &mut Vec<Slot>,
        closes: bool,
    ) -> Result<()> {
        let mut own = lock(&allocator.ending);
        if allocator.closed.load(Ordering::Acquire) {
            return Err(Code::Closed.into()); // another isolate was first
        }
        let ground = &allocator.ground;
        if let Plan::Arena(arena) = &ground.plan {
            let born_ms = (!closes).then(raw::now_ms);
            return self.end_levels(allocator, &mut own, records, born_ms, || {
                self.manager.allocators.tell_ended(allocator.id.number, closes);
                arena.reset(&|| self.manager.wait_for_operations(&self.table));
                Ok(())
            });
        }
        let loans = allocator.counters.loans(); // see `is_over`
        let mut frozen = self.manager.freeze(ground)?;
        if closes {
            // In one order with the look of `pin_in`: either that sees this, or we see what it pins.
            allocator.closed.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            let late = self.manager.freeze_late(ground, frozen);
            frozen = late.inspect_err(|_| allocator.closed.store(false, Ordering::Release))?;
        }
        drop(loans);
        // Before the first one ends: who finds its handle dead looks there for the reason.
        self.manager.allocators.tell_ended(allocator.id.number, closes);
        let end = |handle: Handle| Some((handle.slot, self.manager.end_frozen(handle, Some(counter))?));
        let ended: Vec<(Slot, Place)> = frozen.into_iter().filter_map(end).collect();
        self.manager.wait_for_operations(&self.table);
        for (slot, place) in ended {
            put(ground, place, closes);
            put_record(&self.manager.tracker, records, slot);
        }
        Ok(())
    }

    /// Ends an arena's record, unless it is pinned; then levels, by `act`; then begins the record again,
    /// as born at `born_ms`, or closes the arena.
    fn end_levels(
        &self,
        allocator: &Allocator,
        own: &mut Option<Handle>,
        records: &mut Vec<Slot>,
        born_ms: Option<u64>,
        act: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let tracker = &self.manager.tracker;
        let handle = own.ok_or(Error::from(Code::Closed))?;
        let record = tracker.live(handle)?;
        let owner = record.origin().owner;
        record.end(handle.generation)?;
        put_record(tracker, records, handle.slot);
        *own = None;
        if born_ms.is_none() {
            let _loans = allocator.counters.loans(); // see `is_over`
            allocator.closed.store(true, Ordering::Release);
        }
        act()?;
        if let Some(born_ms) = born_ms {
            let birth = Birth {
                extent: Extent { size: 0, label: 0 },
                origin: Origin { born_ms, owner },
                alignment: allocator.measures.alignment,
            };
            let place = Place::grant(allocator.ground.span.0, 0);
            *own = Some(begin(tracker, records, place, birth)?);
        }
        Ok(())
    }

    /// Remembers an arena's position.
    ///
    /// # Errors
    /// [`Code::NotSupported`] by other kinds; [`Code::RegionFull`] with too many marks alive;
    /// [`Code::Closed`].
    pub fn mark_in(&self, id: AllocatorId) -> Result<Mark> {
        // What another isolate cuts off its piece afterwards would else lie before the mark.
        self.without_loans(id, |attached, _| match &attached.allocator.ground.plan {
            Plan::Arena(arena) => arena.mark(),
            _ => Err(Code::NotSupported.into()),
        })
    }

    /// Ends what an arena granted since a mark.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] for a stale or foreign mark; [`Code::InUse`] with the number of pins;
    /// [`Code::NotSupported`] by other kinds; [`Code::Closed`].
    pub fn rewind_in(&self, id: AllocatorId, mark: Mark) -> Result<()> {
        self.without_loans(id, |attached, records| {
            let allocator = &*attached.allocator;
            let Plan::Arena(arena) = &allocator.ground.plan else { return Err(Code::NotSupported.into()) };
            let mut own = lock(&allocator.ending);
            if !arena.has_mark(mark) {
                return Err(Code::InvalidValue.into());
            }
            let handle = own.ok_or(Error::from(Code::Closed))?;
            let born_ms = self.manager.tracker.live(handle)?.origin().born_ms; // its age goes on
            self.end_levels(allocator, &mut own, records, Some(born_ms), || {
                arena.rewind(mark, &|| self.manager.wait_for_operations(&self.table))
            })
        })
    }

    /// Gives the pages back that no grant has a byte of. Returns the bytes.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn trim_allocator(&self, id: AllocatorId) -> Result<u64> {
        self.with(id, |attached, records| {
            self.settle_attached(attached, records);
            self.settle_ring(attached, records);
            self.reclaim(attached, records);
            Ok(attached.allocator.ground.trim())
        })
    }

    /// The isolate has ended: what it held of allocators goes back, pinned or not, for its handles and
    /// pins were its own. Of an arena only the pins: it knows no single grant.
    pub(in super::super) fn leave_allocators(&self) {
        let mut door = self.allocators.borrow_mut();
        let tracker = &self.manager.tracker;
        let Door { attached, records } = &mut *door;
        for attached in attached.iter_mut().flatten() {
            attached.empty_bins(tracker, records);
            self.adopt_loans(attached, records);
            self.forget_loans(attached);
            if attached.allocator.sole.is_openers(&self.busy) {
                attached.allocator.sole.leave();
            }
            let own = lock(&attached.allocator.ending);
            let record = own.and_then(|own| Some((tracker.live(own).ok()?, own.generation)));
            for _ in 0..attached.arena_pins {
                let dropped = record.as_ref().map(|(record, generation)| record.unpin(*generation));
                debug_assert!(dropped.is_none_or(|dropped| dropped.is_ok()));
            }
        }
        let mut held = Vec::new();
        tracker.scan(|row| {
            if row.place.is_grant() && row.owner == Owner::grant(self.number) {
                held.push((row.handle, row.place.span));
            }
        });
        for (handle, span) in held {
            let user = attached.iter().flatten().find(|user| {
                user.allocator.ground.span.0 == span && !user.allocator.closed.load(Ordering::Acquire)
            });
            let Some(ground) = self.manager.allocators.ground(span) else { continue };
            if let Some(place) = self.manager.end_frozen(handle, user.map(|user| &user.counter)) {
                put(&ground, place, user.is_none()); // its operations were in this thread
                records.push(handle.slot);
            }
        }
        give(tracker, records, usize::MAX);
        self.leave_regions();
    }
}

impl Registry {
    /// The ground of a span, of an open allocator or waiting for the next.
    fn ground(&self, span: u32) -> Option<Arc<Ground>> {
        let open = lock(&self.state);
        let used = open.numbers.iter().flatten().map(|allocator| &allocator.ground);
        let waiting = open.sights.values().filter_map(Sight::waiting);
        used.chain(&open.idle_grounds).chain(waiting).find(|ground| ground.span.0 == span).map(Arc::clone)
    }
}
