//! What an isolate's JavaScript does with its table: facade/handles/front.ts, store by store and in the same order.

use offheap_core::alloc::chunks::classes;
use offheap_core::base::error::Result;
use offheap_core::manager::{Isolate, Request};
use offheap_core::raw::atlas::Span;
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, IsolateTable, front, word};
use offheap_core::tracker::magazine::header::{CAPACITY, SLOTS, TAKEN, WRITTEN_MAX};
use offheap_core::tracker::state::{Generation, Handle, Slot};
use std::cell::Cell;

/// Stores of a `take` that counts a new maximum, in their order: the length of the magazine, home, birth,
/// generation, what is live, its maximum, what was taken.
pub const TAKE_STORES: u32 = 7;
/// So many of them are done when the block is live; so many when its bytes are.
pub const TAKE_LIVES: u32 = 4;
pub const TAKE_SHOWS: u32 = 5;
/// Stores of a `give`: generation, the slot, the length, what is live.
pub const GIVE_STORES: u32 = 4;

/// The JavaScript of an isolate.
pub struct Script<'a> {
    pub isolate: &'a Isolate,
    stores_left: Cell<u32>,
}

/// The magazine that serves blocks of a size.
pub fn magazine_for(size: u64) -> usize {
    IsolateTable::home_of(usize::from(classes::class_for(size, 8).unwrap()))
}

impl<'a> Script<'a> {
    pub const fn new(isolate: &'a Isolate) -> Self {
        Self::stopped_after(isolate, u32::MAX)
    }

    /// One that is terminated after so many stores.
    pub const fn stopped_after(isolate: &'a Isolate, stores: u32) -> Self {
        Self { isolate, stores_left: Cell::new(stores) }
    }

    fn table(&self) -> &'a IsolateTable {
        &self.isolate.table
    }

    fn word(&self, index: usize) -> i32 {
        self.table().word(index)
    }

    fn store(&self, index: usize, value: i32) {
        if let Some(left) = self.stores_left.get().checked_sub(1) {
            self.stores_left.set(left);
            self.table().set_word(index, value);
        }
    }

    const fn at(slot: Slot) -> usize {
        FRONT + slot.0 as usize * FRONT_WORDS
    }

    /// Whether the table says that a block of this isolate is live; `None` for slots without words.
    pub fn is_live(&self, handle: Handle) -> Option<bool> {
        let has_words = (handle.slot.0 as usize) < self.table().slots();
        has_words.then(|| self.word(Self::at(handle.slot)) == handle.generation.0.cast_signed())
    }

    /// Whether a chunk is lent, as the table knows it.
    pub fn is_lent(&self, slot: Slot) -> bool {
        self.table().front(slot).is_some_and(|front| front.home != 0)
    }

    /// `requested`: 0 of a pool, whose blocks are all of one size.
    fn take_from(&self, home: usize, requested: u64, unit: i32, bytes: i32) -> Option<Handle> {
        let (length, now) = (self.word(home), self.word(word::CLOCK));
        if length == 0 || now == 0 {
            return None;
        }
        let slot = Slot(self.word(home + SLOTS - 1 + length as usize).cast_unsigned());
        let at = Self::at(slot);
        let generation = self.word(at + front::GENERATION) + 1;
        if generation.cast_unsigned() >= Generation::MAX.0 {
            return None;
        }
        self.store(home, length - 1);
        self.store(at + front::HOME, ((home as u32) << 16 | requested as u32).cast_signed());
        self.store(at + front::BORN, now);
        self.store(at + front::GENERATION, generation);
        let live = self.word(word::LIVE).wrapping_add(bytes);
        self.store(word::LIVE, live);
        if live.wrapping_sub(self.word(word::HIGH)) > 0 {
            self.store(word::HIGH, live);
        }
        let before = self.word(home + TAKEN);
        let taken = before.wrapping_add(unit);
        self.store(home + TAKEN, taken);
        if (taken ^ before) & 1 << 30 != 0 && self.stores_left.get() > 0 {
            self.isolate.note_taken();
        }
        Some(Handle { slot, generation: Generation(generation.cast_unsigned()) })
    }

    /// How much was taken out of the magazine that serves blocks of a size, or of a pool's, in its unit.
    pub fn counted(&self, home: usize) -> i32 {
        self.word(home + TAKEN)
    }

    /// A block from the magazine of its class; `None` when a native call is due.
    pub fn take(&self, size: u64) -> Option<Handle> {
        let bytes = i32::try_from(size).ok().filter(|size| *size <= 32 << 10)?;
        self.take_from(magazine_for(size), size, bytes, bytes)
    }

    /// A block from a pool's magazine; `None` when a native call is due.
    pub fn take_pooled(&self, pool: u32, size: u64) -> Option<Handle> {
        let home = self.isolate.magazine_of(pool).ok().filter(|home| *home != 0)?;
        self.take_from(home, 0, 1, size as i32)
    }

    /// Ends a block and puts its chunk back into its magazine; false when a native call is due.
    pub fn give(&self, handle: Handle, size: u64) -> bool {
        let at = Self::at(handle.slot);
        if self.is_live(handle) != Some(true) {
            return false;
        }
        let home = (self.word(at + front::HOME).cast_unsigned() >> 16) as usize;
        if home == 0 || self.word(home) >= self.word(home + CAPACITY) || self.word(word::CLOCK) == 0 {
            return false;
        }
        if self.word(at + front::WRITTEN) > self.word(home + WRITTEN_MAX) {
            return false;
        }
        self.store(at + front::GENERATION, handle.generation.0.cast_signed() + 1);
        let length = self.word(home);
        self.store(home + SLOTS + length as usize, handle.slot.0.cast_signed());
        self.store(home, length + 1);
        self.store(word::LIVE, self.word(word::LIVE).wrapping_sub(size as i32));
        true
    }

    /// `allocate` as a whole. `request` as the native side gets it when the magazine is empty.
    pub fn allocate(&self, request: Request) -> Result<Handle> {
        if let Some(handle) = self.take(request.size) {
            return Ok(handle);
        }
        if self.isolate.refill(request)
            && let Some(handle) = self.take(request.size)
        {
            return Ok(handle);
        }
        self.isolate.allocate(request)
    }

    /// `free` as a whole.
    pub fn free(&self, handle: Handle, size: u64) -> Result<()> {
        if self.give(handle, size) { Ok(()) } else { self.isolate.free_any(handle) }
    }

    /// A pool's `acquire` as a whole.
    pub fn acquire(&self, pool: u32, size: u64) -> Result<Handle> {
        if let Some(handle) = self.take_pooled(pool, size) {
            return Ok(handle);
        }
        if self.isolate.refill_pool(pool)
            && let Some(handle) = self.take_pooled(pool, size)
        {
            return Ok(handle);
        }
        self.isolate.acquire(pool)
    }

    /// A pool's `release` as a whole.
    pub fn release(&self, pool: u32, handle: Handle, size: u64) -> Result<()> {
        if self.give(handle, size) { Ok(()) } else { self.isolate.release(pool, handle) }
    }

    /// A block's bytes, which are looked at without anybody's notice.
    pub fn peek(&self, slot: Slot, size: u64) -> Bytes<'static> {
        let manager = self.isolate.manager();
        let place = manager.tracker.shared(slot).unwrap().place();
        manager.chunks.atlas.bytes(Span(place.span), place.offset_bytes() as usize, size as usize).unwrap()
    }

    /// A block's bytes, to be written to.
    pub fn touch(&self, slot: Slot, size: u64) -> Bytes<'static> {
        if (slot.0 as usize) < self.table().slots() {
            self.table().set_word(Self::at(slot) + front::WRITTEN, 1);
        }
        self.peek(slot, size)
    }
}
