//! What an isolate's JavaScript does for `AdvancedMemoryAllocator`: facade/allocators.ts, handles/{loans,region,front}.ts,
//! store by store and in the same order.

use super::measures;
use offheap_core::base::error::Result;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures, Taken};
use offheap_core::ops;
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, front, word};
use offheap_core::tracker::label::Label;
pub use offheap_core::tracker::magazine::header::{CAPACITY, GRANTED, SLOTS, TAKEN, TURN};
use offheap_core::tracker::magazine::header::{CUT, LEVEL, STAY, UNIT_SHIFT, UNITS};
use offheap_core::tracker::state::{Generation, Handle, Slot};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{Ordering, fence};

/// Where a magazine would begin that is always empty.
const NO_MAGAZINE: usize = 40;
/// The largest request that needs no native call.
pub const GRANT_MAX: u64 = 32767;

/// Stores of a `take`, in their order: the length of the magazine, home, birth, generation, bytes, what was taken. The last two are not
/// counted of a ring's.
pub const TAKE_STORES: u32 = 6;
/// So many of them are done when the grant is live; all when it is counted.
pub const TAKE_LIVES: u32 = 4;
/// Stores of a `give`: generation, the slot, the length, bytes.
pub const GIVE_STORES: u32 = 4;
/// The same of a ring's: the generation.
pub const END_STORES: u32 = 1;
/// Stores of a `cut`: units, bytes, what was taken.
pub const CUT_STORES: u32 = 3;

/// An `AllocatedMemory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub handle: Handle,
    pub size: u64,
    pub offset: u64,
}

/// What an isolate's JavaScript knows of an allocator between two resets.
#[derive(Debug, Clone)]
pub struct Region {
    pub id: AllocatorId,
    resets: i32,
    turn: i32,
    kind: Kind,
    homes: HashMap<u64, usize>, // by size
    stretch: usize,
    stretch_at: u64,
}

/// What lies ready, as a script reads it before it takes it.
#[derive(Debug, Clone, Copy)]
struct Ready {
    home: usize,
    length: i32,
    now: i32,
    memory: Memory,
}

/// The JavaScript of an isolate.
pub struct Script<'a> {
    pub isolate: &'a Isolate,
    stores_left: Cell<u32>,
}

impl<'a> Script<'a> {
    pub const fn new(isolate: &'a Isolate) -> Self {
        Self::stopped_after(isolate, u32::MAX)
    }

    /// One that is terminated after so many stores.
    pub const fn stopped_after(isolate: &'a Isolate, stores: u32) -> Self {
        Self { isolate, stores_left: Cell::new(stores) }
    }

    pub fn word(&self, index: usize) -> i32 {
        self.isolate.table.word(index)
    }

    fn store(&self, index: usize, value: i32) {
        if let Some(left) = self.stores_left.get().checked_sub(1) {
            self.stores_left.set(left);
            self.isolate.table.set_word(index, value);
        }
    }

    fn add(&self, index: usize, amount: i32) {
        self.store(index, self.word(index).wrapping_add(amount));
    }

    /// First of the words about a slot.
    pub const fn at(slot: Slot) -> usize {
        FRONT + slot.0 as usize * FRONT_WORDS
    }

    /// A word of an allocator's epochs.
    pub fn epoch(&self, id: AllocatorId, index: u32) -> i32 {
        let allocators = &self.isolate.manager().allocators;
        #[cfg(offheap_tsan)]
        {
            allocators.epoch((4 * id.number + index) as usize) // to which bytes that Rust writes as a word are a race
        }
        #[cfg(not(offheap_tsan))]
        {
            read_word(allocators.epochs().unwrap(), 4 * id.number + index)
        }
    }

    pub fn is_current(&self, region: &Region) -> bool {
        self.epoch(region.id, 0) == region.id.life.cast_signed() && self.epoch(region.id, 1) == region.resets
    }

    /// Whether nothing was recalled since the native side lent the last magazine.
    pub fn is_unchanged(&self, region: &Region) -> bool {
        self.epoch(region.id, 3) == region.turn
    }

    /// `getInstance`.
    pub fn open(&self, name: &str, wanted: Measures) -> Result<Region> {
        let id = self.isolate.open_allocator(name, wanted)?;
        Ok(self.begin(id, wanted.kind))
    }

    /// The same of a kind, named by it.
    pub fn opened(&self, kind: Kind, total: u64) -> Region {
        self.open(&format!("{kind:?}"), measures(kind, total)).unwrap()
    }

    fn begin(&self, id: AllocatorId, kind: Kind) -> Region {
        let (homes, stretch, stretch_at) = (HashMap::new(), NO_MAGAZINE, 0);
        let turn = self.epoch(id, 3);
        Region { id, resets: self.epoch(id, 1), turn, kind, homes, stretch, stretch_at }
    }

    /// The same region from a reset to the next.
    pub fn again(&self, region: &Region) -> Region {
        self.begin(region.id, region.kind)
    }

    /// What needs no native call: off a magazine or off an arena's piece. Of a stopped script the handle is what it would have
    /// been.
    pub fn take(&self, region: &Region, size: u64) -> Option<Memory> {
        if size > GRANT_MAX {
            return None;
        }
        // Before it says that it is busy: in its turn nobody else changes it.
        let ready = if region.kind == Kind::Arena { None } else { Some(self.next(region, size)?) };
        self.enter();
        let taken = if !self.is_unchanged(region) {
            None
        } else if let Some(ready) = ready {
            self.begin_grant(ready, region.kind == Kind::Ring);
            Some(ready.memory)
        } else {
            self.cut(region, size)
        };
        self.leave();
        taken
    }

    /// From now to `leave` nobody takes over what is lent.
    fn enter(&self) {
        self.isolate.table.set_word(word::BUSY, 1);
        fence(Ordering::SeqCst); // a machine without the system's fence runs this too
    }

    fn leave(&self) {
        #[cfg(offheap_tsan)]
        offheap_core::raw::note_done();
        self.isolate.table.set_word(word::BUSY, 0);
    }

    fn next(&self, region: &Region, size: u64) -> Option<Ready> {
        let home = *region.homes.get(&size)?;
        let (length, now) = (self.word(home), self.word(word::CLOCK));
        if length == 0 || now == 0 {
            return None;
        }
        if region.kind != Kind::Ring && self.word(home + TAKEN).wrapping_add(1) << 2 == 0 {
            self.isolate.note_taken(); // it is about to have gone a quarter around
        }
        let slot = Slot(self.word(home + SLOTS - 1 + length as usize).cast_unsigned());
        let generation = Generation((self.word(Self::at(slot) + front::GENERATION) + 1).cast_unsigned());
        let offset = u64::from(self.word(Self::at(slot) + front::WRITTEN).cast_unsigned()) * 16;
        let memory = Memory { handle: Handle { slot, generation }, size, offset };
        (generation < Generation::MAX).then_some(Ready { home, length, now, memory })
    }

    fn begin_grant(&self, ready: Ready, is_ring: bool) {
        let Ready { home, length, now, memory: Memory { handle, size, .. } } = ready;
        let at = Self::at(handle.slot);
        self.store(home, length - 1);
        self.store(at + front::HOME, ((home as u32) << 16 | size as u32).cast_signed());
        self.store(at + front::BORN, now);
        self.store(at + front::GENERATION, handle.generation.0.cast_signed());
        if !is_ring {
            self.add(home + GRANTED, size as i32);
            self.add(home + TAKEN, 1);
        }
    }

    fn cut(&self, region: &Region, size: u64) -> Option<Memory> {
        let home = region.stretch;
        let shift = self.word(home + UNIT_SHIFT);
        let cut = self.word(home + CUT);
        let up = size as i32 + 1_i32.wrapping_shl(shift as u32) - 1;
        let next = cut + (up.cast_unsigned().wrapping_shr(shift as u32)).cast_signed();
        if next > self.word(home + UNITS) {
            return None;
        }
        self.store(home + CUT, next);
        self.add(home + GRANTED, size as i32);
        self.add(home + TAKEN, 1);
        let slot = Slot(self.word(home + LEVEL).cast_unsigned());
        let generation = Generation(self.word(home + STAY).cast_unsigned());
        let offset = region.stretch_at + u64::from(cut.wrapping_shl(shift as u32).cast_unsigned());
        Some(Memory { handle: Handle { slot, generation }, size, offset })
    }

    /// What the native side has just granted. From then on freed grants of that size are looked for where it says.
    fn granted(&self, region: &mut Region, taken: Taken, size: u64) -> Memory {
        if taken.home != 0 {
            self.note_loan(region, taken, size);
        }
        Memory { handle: taken.handle, size, offset: taken.offset }
    }

    fn note_loan(&self, region: &mut Region, taken: Taken, size: u64) {
        let turn = self.word(taken.home + TURN);
        if turn != region.turn {
            if !self.is_current(region) {
                return;
            }
            region.homes.clear();
            (region.stretch, region.turn) = (NO_MAGAZINE, turn);
        }
        if region.kind == Kind::Arena {
            (region.stretch, region.stretch_at) = (taken.home, taken.stretch_at);
        } else if size <= GRANT_MAX {
            region.homes.insert(size, taken.home);
        }
    }

    /// The native half of `allocate`.
    pub fn ask(&self, region: &mut Region, size: u64, label: Label) -> Result<Memory> {
        let taken = self.isolate.allocate_in(region.id, size, label)?;
        assert!(taken.granted >= size);
        Ok(self.granted(region, taken, size))
    }

    /// `allocate` as a whole.
    pub fn allocate(&self, region: &mut Region, size: u64) -> Result<Memory> {
        self.take(region, size).map_or_else(|| self.ask(region, size, Label::NONE), Ok)
    }

    /// Ends a grant that needs no native call. False when it does, or is dead.
    pub fn give(&self, region: &Region, memory: Memory) -> bool {
        self.enter();
        let given = self.give_alone(region, memory);
        self.leave();
        given
    }

    fn give_alone(&self, region: &Region, memory: Memory) -> bool {
        if !self.is_unchanged(region) || region.homes.is_empty() && region.kind != Kind::Ring {
            return false;
        }
        let (slot, generation) = (memory.handle.slot, memory.handle.generation.0.cast_signed());
        let at = Self::at(slot);
        if slot.0 as usize >= self.isolate.table.slots() || self.word(at) != generation {
            return false;
        }
        if region.kind == Kind::Ring {
            self.store(at, generation + 1); // that it is this ring's the handle tells
            return true;
        }
        let home = (self.word(at + front::HOME).cast_unsigned() >> 16) as usize;
        let length = self.word(home);
        if home == 0 || length >= self.word(home + CAPACITY) || self.word(word::CLOCK) == 0 {
            return false;
        }
        self.store(at, generation + 1);
        self.store(home + SLOTS + length as usize, slot.0.cast_signed());
        self.store(home, length + 1);
        self.add(home + GRANTED, -(memory.size as i32));
        true
    }

    /// The native half of `free`.
    pub fn hand_back(&self, region: &Region, memory: Memory) -> Result<()> {
        self.isolate.free_in(region.id, memory.handle, memory.size)
    }

    /// `free` as a whole.
    pub fn free(&self, region: &Region, memory: Memory) -> Result<()> {
        if self.give(region, memory) { Ok(()) } else { self.hand_back(region, memory) }
    }

    /// `isUsable`.
    pub fn is_live(&self, region: &Region, memory: Memory) -> bool {
        let Handle { slot, generation } = memory.handle;
        if !self.is_current(region) {
            return false;
        }
        if region.kind == Kind::Arena {
            let allocator = self.isolate.manager().allocators.get(region.id).unwrap();
            return read_word(allocator.generations().unwrap(), slot.0) == generation.0.cast_signed();
        }
        let has_words = (slot.0 as usize) < self.isolate.table.slots();
        let is_lent = has_words && self.word(Self::at(slot)) == generation.0.cast_signed();
        is_lent || self.isolate.manager().tracker.live(memory.handle).is_ok()
    }

    /// Whether an arena's piece has so many bytes.
    pub fn is_ready(&self, region: &Region, size: u64) -> bool {
        let left = self.word(region.stretch + UNITS) - self.word(region.stretch + SLOTS);
        (size as i32) <= left << self.word(region.stretch + UNIT_SHIFT)
    }

    /// What a magazine has ready for a size.
    pub fn ready(&self, region: &Region, size: u64) -> usize {
        region.homes.get(&size).map_or(0, |home| self.word(*home) as usize)
    }

    /// The magazine of a size.
    pub fn home(&self, region: &Region, size: u64) -> usize {
        region.homes[&size]
    }

    /// The bytes of a memory.
    pub fn bytes(&self, region: &Region, memory: Memory) -> Bytes<'static> {
        let manager = self.isolate.manager();
        let allocator = manager.allocators.get(region.id).unwrap();
        allocator.bytes(manager, memory.offset, memory.size).unwrap()
    }

    pub fn stamp(&self, region: &Region, memory: Memory, value: u8) {
        ops::fill(self.bytes(region, memory), value);
    }

    /// Whether what was stamped is still there: at both ends, for a copy of all takes long.
    pub fn reads(&self, region: &Region, memory: Memory, value: u8) -> bool {
        let (bytes, length) = (self.bytes(region, memory), memory.size.min(64));
        [0, memory.size - length].into_iter().all(|start| {
            let mut copy = vec![0; length as usize];
            ops::snapshot(bytes.slice(start, length).unwrap(), &mut copy).unwrap();
            copy.iter().all(|byte| *byte == value)
        })
    }

    /// The clock stands until the next native call that lends.
    pub fn stand(&self) {
        self.isolate.manager().set_limit(None); // a change of the limit stops all clocks
    }
}

fn read_word(words: Bytes<'_>, index: u32) -> i32 {
    let mut copy = [0; 4];
    ops::snapshot(words.slice(4 * u64::from(index), 4).unwrap(), &mut copy).unwrap();
    i32::from_ne_bytes(copy)
}
