//! Which ArrayBuffers an isolate has over its blocks, and what becomes of a block when the last one is
//! gone: nobody can see it any more, so it is collected, unless its handle still lives.

use super::Isolate;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::Ordering;
use crate::raw;
use crate::tracker::record::SEGMENT_SLOTS;
use crate::tracker::state::{Handle, Slot, State};

/// What the finalizer of a buffer brings back: numbers, which mean the same on any thread and after
/// the isolate has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferRecord {
    /// Which isolate made the buffer.
    pub isolate: u32,
    /// Whose block it was made for.
    pub handle: Handle,
    /// Whether it stays with the chunk from owner to owner; else it ends with the handle.
    pub kept: bool,
}

/// The buffers over one chunk that are not gone.
#[derive(Debug, Default)]
pub(super) struct Shown {
    kept: u32,        // that stay with the chunk
    handed: u32,      // generation to which those were handed last, for slots that the table has no word for
    part_life: u32,   // generation of the newest of the others
    parts: u32,       // so many of that generation: what is left of older ones is nobody's business
    is_waiting: bool, // all are gone, but the handle lives or pins hold: looked at again later
}

impl Isolate {
    /// Notes that a buffer over the block is about to be made and handed out. Before, not after: an
    /// isolate may be terminated between any two steps.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::OutOfMemory`].
    pub fn show(&self, handle: Handle, kept: bool) -> Result<BufferRecord> {
        self.make_room()?;
        self.mark_viewed(handle)?;
        let mut views = self.views.borrow_mut();
        let shown = views.entry(handle.slot).or_default();
        if kept {
            shown.kept += 1;
            shown.handed = handle.generation.0;
        } else {
            if shown.part_life != handle.generation.0 {
                (shown.part_life, shown.parts) = (handle.generation.0, 0);
            }
            shown.parts += 1;
        }
        Ok(BufferRecord { isolate: self.number, handle, kept })
    }

    /// Notes that a chunk's kept buffer is about to be handed to its next owner. JavaScript does the
    /// same by itself for slots of the first segment: see [`crate::tracker::isolate::HANDED`].
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::OutOfMemory`].
    pub fn hand(&self, handle: Handle) -> Result<()> {
        self.make_room()?;
        self.mark_viewed(handle)?;
        self.views.borrow_mut().entry(handle.slot).or_default().handed = handle.generation.0;
        Ok(())
    }

    /// For what is known of one more chunk that has buffers, now and when they are gone: a finalizer must not fail.
    fn make_room(&self) -> Result<()> {
        let (mut views, mut waiting) = (self.views.borrow_mut(), self.waiting.borrow_mut());
        let more = (views.len() + 1).saturating_sub(waiting.len());
        let has_room = views.try_reserve(1).is_ok() && waiting.try_reserve(more).is_ok();
        if has_room { Ok(()) } else { Err(Error::new(Code::OutOfMemory, 64, raw::available_bytes())) }
    }

    /// Notes that the present owner has seen, or is about to see, the block's bytes through a buffer.
    pub(super) fn mark_viewed(&self, handle: Handle) -> Result<()> {
        let record = self.live(handle)?;
        let viewed = State::VIEWED | State::EVER_VIEWED;
        record.update(handle.generation, |state| Ok(State(state.0 | viewed)))?;
        if (handle.slot.0 as usize) < SEGMENT_SLOTS {
            self.table.set_handed(handle);
        }
        Ok(())
    }

    /// Whether a buffer was handed to this owner of the block.
    #[must_use]
    pub fn was_viewed(&self, handle: Handle, state: State) -> bool {
        state.has(State::VIEWED) || self.table.was_handed(handle)
    }

    /// Buffers over a block that this owner of it was given and that are not gone.
    pub(super) fn buffers(&self, handle: Handle) -> u32 {
        let views = self.views.borrow();
        let Some(shown) = views.get(&handle.slot) else { return 0 };
        let handed = self.table.was_handed(handle) || shown.handed == handle.generation.0;
        let parts = if shown.part_life == handle.generation.0 { shown.parts } else { 0 };
        parts + if handed { shown.kept } else { 0 }
    }

    /// The garbage collector took a buffer, in a normal turn of the loop. `is_held` tells whether the
    /// handle of a block lives.
    pub fn buffer_gone(&self, record: BufferRecord, is_held: impl Fn(Slot) -> bool) {
        let slot = record.handle.slot;
        if let Some(shown) = self.views.borrow_mut().get_mut(&slot) {
            if record.kept {
                shown.kept = shown.kept.saturating_sub(1);
            } else if shown.part_life == record.handle.generation.0 {
                shown.parts = shown.parts.saturating_sub(1);
            }
        }
        self.settle_one(slot, &is_held);
    }

    /// Looks again at the blocks whose buffers are all gone while something else held them.
    pub fn settle(&self, is_held: impl Fn(Slot) -> bool) {
        for slot in self.waiting.take() {
            if let Some(shown) = self.views.borrow_mut().get_mut(&slot) {
                shown.is_waiting = false;
            }
            self.settle_one(slot, &is_held);
        }
    }

    fn settle_one(&self, slot: Slot, is_held: &impl Fn(Slot) -> bool) {
        let Some(record) = self.manager.tracker.shared(slot) else { return };
        let state = record.state();
        if !state.generation().is_live() {
            if state.has(State::ESCAPED) {
                self.reclaim_escaped(slot, state);
            }
            return;
        }
        let handle = Handle { slot, generation: state.generation() };
        let is_mine = self.is_mine(record.origin().owner) && !state.has(State::ORPHANED);
        if !is_mine || !self.was_viewed(handle, state) || self.buffers(handle) > 0 {
            return;
        }
        if is_held(slot) || !self.collect(handle) {
            let mut views = self.views.borrow_mut();
            let shown = views.entry(slot).or_default();
            if !shown.is_waiting {
                shown.is_waiting = true;
                self.waiting.borrow_mut().push(slot);
            }
        }
    }

    /// Frees a block that nobody can see or name. False while pins hold it.
    fn collect(&self, handle: Handle) -> bool {
        let collected = self.free_any(handle).is_ok();
        if collected {
            self.manager.collected.fetch_add(1, Ordering::Relaxed);
        }
        collected
    }

    /// The memory of a block that was freed after its buffer was transferred away comes back when the
    /// last buffer over it is gone.
    fn reclaim_escaped(&self, slot: Slot, state: State) {
        let last = Handle { slot, generation: state.generation().last_live() };
        let Some(record) = self.manager.tracker.shared(slot) else { return };
        if self.buffers(last) > 0 || !self.is_mine(record.origin().owner) {
            return;
        }
        record.set_free_flags(0, State::ESCAPED);
        if self.unwiped.borrow_mut().remove(&slot) {
            self.wipe(slot);
        }
        self.manager.escaped_bytes.fetch_sub(record.extent().size, Ordering::Relaxed);
        self.put(slot, record.place().class, record.state());
    }
}
