//! Blocks: allocate, free, look up, pin.

use super::Isolate;
use crate::alloc::chunks::classes;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::Ordering;
use crate::raw;
use crate::raw::atlas::Span;
use crate::raw::bytes::Bytes;
use crate::tracker::label::Label;
use crate::tracker::record::{Birth, Record};
use crate::tracker::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Slot, State};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Bytes, at least 1.
    pub size: u64,
    /// Multiple that the address must be of.
    pub alignment: AlignmentCode,
    /// Whether all bytes must read 0; else they are whatever was there.
    pub zeroed: bool,
    /// Shown in reports.
    pub label: Label,
}

impl Request {
    /// The class of chunks that satisfies it.
    pub(super) fn class(&self) -> Result<u8> {
        let alignment = self.alignment.bytes().ok_or(Error::from(Code::InvalidValue))?;
        if self.size == 0 {
            return Err(Code::OutOfRange.into());
        }
        classes::class_for(self.size, alignment as u64)
            .ok_or_else(|| Error::new(Code::OutOfMemory, self.size, raw::available_bytes()))
    }
}

impl Isolate {
    /// Allocates a block.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`], [`Code::Limit`]; [`Code::OutOfRange`] for size 0.
    pub fn allocate(&self, request: Request) -> Result<Handle> {
        let class = request.class()?;
        let admission = self.manager.admit(request.size)?;
        let slot = self.take(class)?;
        let handle = self.begin(slot, request, Owner::block(self.number))?;
        self.counter.allocated(request.size);
        drop(admission);
        Ok(handle)
    }

    /// Frees a block. Exactly one free of a handle succeeds.
    ///
    /// # Errors
    /// [`Code::DoubleFree`]; [`Code::InUse`] while pinned; [`Code::WrongThread`] for a block that
    /// another isolate's buffers show; [`Code::ForeignBlock`] for a pool's.
    pub fn free(&self, handle: Handle) -> Result<()> {
        let record = self.manager.tracker.shared(handle.slot).ok_or(Error::from(Code::DoubleFree))?;
        if record.state().has(State::LENT) && self.put_back(handle) {
            return Ok(());
        }
        let alias = record.state().has(State::ALIAS);
        let shares = alias.then(|| self.manager.shares.lock()); // or another isolate could attach it meanwhile
        self.check_owner(&record, handle)?;
        let owner = record.origin().owner;
        if owner.kind() == Owner::POOL && record.is_live(handle.generation) {
            if self.is_pooled(owner) {
                return Err(Code::ForeignBlock.into());
            }
            return self.release(owner.number(), handle);
        }
        let before = self.end(&record, handle, 0)?;
        drop(shares);
        self.uncount(before, record.extent().size);
        self.put(handle.slot, record.place().class, before);
        Ok(())
    }

    /// Frees a block, or releases it to its pool.
    ///
    /// # Errors
    /// As [`Isolate::free`].
    pub fn free_any(&self, handle: Handle) -> Result<()> {
        if self.put_back(handle) {
            return Ok(());
        }
        let record = self.manager.tracker.shared(handle.slot).ok_or(Error::from(Code::DoubleFree))?;
        let owner = record.origin().owner;
        if owner.kind() == Owner::POOL { self.release(owner.number(), handle) } else { self.free(handle) }
    }

    /// Frees a block whose ArrayBuffer somebody else has by now: the handle ends, the memory stays
    /// with whoever holds the buffer until that is gone.
    ///
    /// # Errors
    /// As [`Isolate::free`].
    pub fn free_escaped(&self, handle: Handle) -> Result<()> {
        let record = self.own_record(handle)?;
        let owner = record.origin().owner;
        if self.is_mine(owner) && self.buffers(handle) == 0 {
            return self.free_any(handle); // whoever had the buffer let go of it
        }
        let before = self.end(&record, handle, State::ESCAPED)?;
        let size = record.extent().size;
        self.uncount(before, size);
        if owner.kind() == Owner::POOL {
            record.hand_over(Owner::block(self.number)); // the pool may be gone when the memory comes back
            self.lose_pooled(owner.number(), handle.slot, before.has(State::SHARED));
        }
        self.manager.escaped_bytes.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Counts a block's end; an orphan's was counted when its isolate ended.
    pub(super) fn uncount(&self, before: State, size: u64) {
        if before.has(State::ORPHANED) {
            self.manager.orphaned_bytes.fetch_sub(size, Ordering::Relaxed);
        } else {
            self.counter.freed(size);
        }
    }

    /// Keeps a block of an ended isolate for whoever may see it.
    pub(super) fn orphan(&self, handle: Handle) {
        let Ok(record) = self.live(handle) else { return };
        let size = record.extent().size; // before: a moment later it may be another owner's
        let owner = record.origin().owner;
        if record.update(handle.generation, |state| Ok(State(state.0 | State::ORPHANED))).is_ok() {
            if owner.kind() == Owner::POOL {
                record.hand_over(Owner::block(self.number)); // its pool ends with the isolate
                self.leave_pool(owner.number(), |_| ());
            }
            self.counter.freed(size);
            self.manager.orphaned_bytes.fetch_add(size, Ordering::Relaxed);
        }
    }

    /// Takes a pin; `free` refuses until it is dropped. Returns how many there were.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::InUse`] at 65,535 pins.
    pub fn pin(&self, handle: Handle) -> Result<u64> {
        self.live(handle)?.pin(handle.generation).map(State::pins)
    }

    /// Drops a pin.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::Corrupted`] when there is none.
    pub fn unpin(&self, handle: Handle) -> Result<()> {
        self.live(handle)?.unpin(handle.generation).map(|_| ())
    }

    /// A part of a live block.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::OutOfRange`] when it is not inside.
    pub fn bytes(&self, handle: Handle, offset: u64, length: u64) -> Result<Bytes<'static>> {
        // Of a lent block the bytes alone are asked for: it stays lent.
        let (record, size) = if let Some((record, front, _)) = self.lent(handle) {
            if !record.place().is_grant() {
                self.table.set_written(handle.slot, true); // for all that is known here
            }
            (record, front.size)
        } else {
            let record = self.manager.tracker.live(handle)?;
            (record, record.extent().size)
        };
        if offset > size || length > size - offset {
            return Err(Error::new(Code::OutOfRange, offset.saturating_add(length), size));
        }
        self.whole(&record, size)?.slice(offset, length).ok_or(Error::from(Code::OutOfRange))
    }

    /// The whole chunk of a live block: what a buffer that is kept with the chunk shows.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`].
    pub fn chunk(&self, handle: Handle) -> Result<Bytes<'static>> {
        let record = self.live(handle)?;
        if record.place().is_grant() {
            return Err(Code::ForeignBlock.into());
        }
        self.whole(&record, classes::size_of(record.place().class))
    }

    /// The address of a record's memory, live or not: a record is bound to its memory for good.
    #[must_use]
    pub fn address(&self, slot: Slot) -> Option<u64> {
        let place = self.manager.tracker.shared(slot)?.place();
        Some(self.manager.chunks.atlas.region(Span(place.span))?.address() as u64 + place.offset_bytes())
    }

    pub(super) fn whole(&self, record: &Record<'_>, size: u64) -> Result<Bytes<'static>> {
        let place = record.place();
        self.manager
            .chunks
            .atlas
            .bytes(Span(place.span), place.offset_bytes() as usize, size as usize)
            .ok_or(Error::from(Code::Corrupted))
    }

    /// Ends an owner's life of a block, for its record and for JavaScript's look at it.
    pub(super) fn end(&self, record: &Record<'_>, handle: Handle, flags: u64) -> Result<State> {
        let before = record.end_marked(handle.generation, flags)?;
        self.table.repeat(Handle { generation: Generation(handle.generation.0 + 1), ..handle });
        Ok(before)
    }

    pub(super) fn own_record(&self, handle: Handle) -> Result<Record<'static>> {
        let record = self.manager.tracker.shared(handle.slot).ok_or(Error::from(Code::DoubleFree))?;
        self.check_owner(&record, handle).map(|()| record)
    }

    /// Refuses what is not this isolate's to end. A lent block's record speaks for it afterwards.
    #[inline]
    fn check_owner(&self, record: &Record<'_>, handle: Handle) -> Result<()> {
        if record.state().has(State::LENT) {
            self.adopt(handle);
        }
        let state = record.state();
        let lives = || record.is_live(handle.generation) || self.lent(handle).is_some();
        if record.place().is_grant() && lives() {
            return Err(Code::ForeignBlock.into()); // an allocator's: only that may free it
        }
        // Ever viewed, not only by the present owner: its isolate keeps the chunk's buffer. Shared: another isolate has it.
        if state.has(State::EVER_VIEWED | State::ALIAS)
            && state.generation() == handle.generation
            && handle.generation.is_live()
            && !self.is_mine(record.origin().owner)
        {
            return Err(Code::WrongThread.into());
        }
        Ok(())
    }

    pub(super) fn take(&self, class: u8) -> Result<Slot> {
        let mut cache = self.cache.borrow_mut();
        let (chunks, tracker) = (&self.manager.chunks, &self.manager.tracker);
        let slot = match cache.take_waited(chunks, tracker, class) {
            Ok(slot) => slot,
            Err(_) => {
                drop(cache); // before the quarantine is cut short: what JavaScript may hand out by itself
                self.spill_all();
                cache = self.cache.borrow_mut();
                cache.take(chunks, tracker, class)?
            }
        };
        self.counter.quarantined(cache.quarantined_bytes()); // it may have come from there
        Ok(slot)
    }

    pub(super) fn put(&self, slot: Slot, class: u8, before: State) {
        if before.has(State::SHARED | State::ALIAS) {
            self.put_shared(slot, before);
        } else {
            self.put_own(slot, class, before);
        }
    }

    /// The same with memory that has no other holder.
    pub(super) fn put_own(&self, slot: Slot, class: u8, before: State) {
        let mut cache = self.cache.borrow_mut();
        cache.put(&self.manager.chunks, &self.manager.tracker, class, slot, before);
        if before.has(State::EVER_VIEWED) {
            self.counter.quarantined(cache.quarantined_bytes());
        }
    }

    /// Opens a chunk that the caller has taken, and fills it if asked.
    pub(super) fn begin(&self, slot: Slot, request: Request, owner: Owner) -> Result<Handle> {
        let tracker = &self.manager.tracker;
        let birth = Birth {
            extent: Extent { size: request.size, label: request.label.0 },
            origin: Origin { born_ms: raw::now_ms(), owner },
            alignment: request.alignment,
        };
        let record = tracker.shared(slot).ok_or(Error::from(Code::Corrupted))?;
        let (slot, begun) = match record.begin(birth) {
            Some(begun) => (slot, begun),
            None => self.begin_fresh(slot, birth)?,
        };
        let handle = Handle { slot, generation: begun.0 };
        self.table.repeat(handle);
        if begun.1.has(State::DECOMMITTED) {
            self.manager.chunks.recommitted(record.place().class);
        }
        if request.zeroed && !begun.1.has(State::CLEAN) {
            crate::ops::fill(self.bytes(handle, 0, request.size)?, 0);
        }
        Ok(handle)
    }

    /// The record is spent: its memory goes on under a fresh one.
    #[cold]
    fn begin_fresh(&self, spent: Slot, birth: Birth) -> Result<(Slot, (Generation, State))> {
        let slot = self.replace_spent(spent)?;
        let record = self.manager.tracker.shared(slot).ok_or(Error::from(Code::Corrupted))?;
        record.begin(birth).map(|begun| (slot, begun)).ok_or(Error::from(Code::Corrupted))
    }

    /// As [`Isolate::take`], and `begin` cannot fail then: the record has a life left.
    pub(super) fn take_unspent(&self, class: u8) -> Result<Slot> {
        let slot = self.take(class)?;
        let record = self.manager.tracker.shared(slot).ok_or(Error::from(Code::Corrupted))?;
        if record.state().generation() < Generation::MAX { Ok(slot) } else { self.replace_spent(slot) }
    }

    fn replace_spent(&self, spent: Slot) -> Result<Slot> {
        let tracker = &self.manager.tracker;
        let old = tracker.shared(spent).ok_or(Error::from(Code::Corrupted))?;
        tracker.replace_spent(spent).inspect_err(|_| self.put(spent, old.place().class, old.state()))
    }
}
