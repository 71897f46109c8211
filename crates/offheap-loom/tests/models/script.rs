//! What an isolate's JavaScript does with its table, store by store and in the same order: facade/handles/front.ts and
//! loans.ts. Its plain loads and stores are Relaxed ones here: a machine may let others see them in another order.

use offheap_core::alloc::chunks::classes;
use offheap_core::base::sync::{Ordering, compiler_fence, fence};
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, IsolateTable, front, word};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::magazine::header::{
    CAPACITY, CUT, GRANTED, SLOTS, TAKEN, TURN, UNIT_SHIFT, UNITS,
};
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};
use std::cell::Cell;

/// Slots that a model's table has words for.
const TABLE_SLOTS: usize = 32;

/// A manager of one execution.
pub fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// No record is lent to anybody.
pub fn assert_none_lent(manager: &'static Manager) {
    for table in manager.tracker.tables.all() {
        manager.tracker.each_lent(&table, |handle, _| panic!("{handle:?} is still lent"));
    }
}

/// A door through which a script hands memory out.
pub fn lending(manager: &'static Manager) -> Isolate {
    let bytes = 4 * (FRONT + TABLE_SLOTS * FRONT_WORDS);
    Isolate::open_lending(manager, Some(bytes), true).unwrap()
}

/// A grant in the program's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub handle: Handle,
    pub offset: u64,
    pub size: u64,
}

/// What a script reads before it takes.
#[derive(Debug, Clone, Copy)]
struct Ready {
    home: usize,
    length: i32,
    now: i32,
    handle: Handle,
    offset: u64,
}

impl Ready {
    const fn held(self, size: u64) -> Held {
        Held { handle: self.handle, offset: self.offset, size }
    }
}

/// What the native side has lent, and in which turn of the allocator.
#[derive(Debug, Clone, Copy)]
pub struct Lent {
    pub id: AllocatorId,
    pub home: usize,
    pub turn: i32,
}

/// The JavaScript of an isolate.
pub struct Script<'a> {
    pub isolate: &'a Isolate,
    stores_left: Cell<u32>,
    keeps_order: bool,
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
        Self { isolate, stores_left: Cell::new(stores), keeps_order: false }
    }

    /// One whose machine shows stores to others in their order, as x86 does.
    pub const fn in_order(isolate: &'a Isolate) -> Self {
        Self { isolate, stores_left: Cell::new(u32::MAX), keeps_order: true }
    }

    fn word(&self, index: usize) -> i32 {
        self.isolate.table.word(index)
    }

    fn store(&self, index: usize, value: i32) {
        if let Some(left) = self.stores_left.get().checked_sub(1) {
            self.stores_left.set(left);
            if self.keeps_order {
                fence(Ordering::Release);
            }
            self.isolate.table.set_word(index, value);
        }
    }

    fn add(&self, index: usize, amount: i32) {
        self.store(index, self.word(index).wrapping_add(amount));
    }

    const fn at(slot: Slot) -> usize {
        FRONT + slot.0 as usize * FRONT_WORDS
    }

    /// What lies ready, newest first.
    fn next(&self, home: usize) -> Option<Ready> {
        let (length, now) = (self.word(home), self.word(word::CLOCK));
        if length == 0 || now == 0 {
            return None;
        }
        let slot = Slot(self.word(home + SLOTS - 1 + length as usize).cast_unsigned());
        let generation = Generation((self.word(Self::at(slot) + front::GENERATION) + 1).cast_unsigned());
        let offset = u64::from(self.word(Self::at(slot) + front::WRITTEN).cast_unsigned()) * 16;
        Some(Ready { home, length, now, handle: Handle { slot, generation }, offset })
    }

    fn begin_slot(&self, ready: Ready, size: u64) {
        let (home, at) = (ready.home, Self::at(ready.handle.slot));
        self.store(home, ready.length - 1);
        self.store(at + front::HOME, ((home as u32) << 16 | size as u32).cast_signed());
        self.store(at + front::BORN, ready.now);
        self.store(at + front::GENERATION, ready.handle.generation.0.cast_signed());
    }

    fn count(&self, home: usize, size: u64, amount: i32, live: usize) {
        self.add(live, size as i32);
        if live == word::LIVE && self.word(live).wrapping_sub(self.word(word::HIGH)) > 0 {
            self.store(word::HIGH, self.word(live));
        }
        self.add(home + TAKEN, amount);
    }

    fn give_slot(&self, handle: Handle, size: u64, is_grant: bool) -> bool {
        let (at, generation) = (Self::at(handle.slot), handle.generation.0.cast_signed());
        if self.word(at) != generation {
            return false;
        }
        let home = (self.word(at + front::HOME).cast_unsigned() >> 16) as usize;
        if home == 0 {
            return false;
        }
        let length = self.word(home);
        if length >= self.word(home + CAPACITY) || self.word(word::CLOCK) == 0 {
            return false;
        }
        self.store(at, generation + 1);
        self.store(home + SLOTS + length as usize, handle.slot.0.cast_signed());
        self.store(home, length + 1);
        self.add(if is_grant { home + GRANTED } else { word::LIVE }, -(size as i32));
        true
    }

    /// `allocate` of a block without a native call.
    pub fn take_block(&self, size: u64) -> Option<Handle> {
        let ready = self.next(magazine_for(size))?;
        self.begin_slot(ready, size);
        self.count(ready.home, size, size as i32, word::LIVE);
        Some(ready.handle)
    }

    /// `free` of a block without a native call.
    pub fn give_block(&self, handle: Handle, size: u64) -> bool {
        self.give_slot(handle, size, false)
    }

    /// Says that it is busy, looks whether it still has what was lent, acts, and says that it is not busy any more. What
    /// it needs between its stores is that they are made in their order, which a compiler's fence says and costs nothing.
    fn in_turn<T>(&self, lent: Lent, act: impl FnOnce() -> Option<T>) -> Option<T> {
        self.store(word::BUSY, 1);
        compiler_fence(Ordering::SeqCst);
        let turn = self.isolate.manager().allocators.epoch(4 * lent.id.number as usize + 3);
        let done = if turn == lent.turn { act() } else { None };
        compiler_fence(Ordering::SeqCst);
        self.store(word::BUSY, 0);
        done
    }

    /// A grant without a native call, from a magazine.
    pub fn take(&self, lent: Lent, size: u64) -> Option<Held> {
        let ready = self.next(lent.home)?; // before it says that it is busy: in its turn nobody else changes it
        self.in_turn(lent, || {
            self.begin_slot(ready, size);
            self.count(ready.home, size, 1, ready.home + GRANTED);
            Some(ready.held(size))
        })
    }

    /// The same of a ring's, of which it counts nothing.
    pub fn take_place(&self, lent: Lent, size: u64) -> Option<Held> {
        let ready = self.next(lent.home)?;
        self.in_turn(lent, || {
            self.begin_slot(ready, size);
            Some(ready.held(size))
        })
    }

    /// `isUsable` of what is in the program's hands.
    pub fn is_live(&self, held: Held) -> bool {
        let (at, tracker) = (Self::at(held.handle.slot), &self.isolate.manager().tracker);
        if self.word(at) == held.handle.generation.0.cast_signed() || tracker.live(held.handle).is_ok() {
            return true;
        }
        self.ordered(|| self.word(at));
        tracker.live(held.handle).is_ok()
    }

    /// `Atomics.load`: nothing that is read after it is older.
    fn ordered(&self, load: impl FnOnce() -> i32) -> i32 {
        let value = load();
        fence(Ordering::Acquire);
        value
    }

    /// Turn and resets of a region that begins, as of one moment; −1 when it is none.
    pub fn begin(&self, id: AllocatorId) -> (i32, i32) {
        let epoch = |word| self.isolate.manager().allocators.epoch(4 * id.number as usize + word);
        let resets = epoch(1);
        let turn = self.ordered(|| epoch(3));
        let is_current = epoch(0) == id.life.cast_signed() && epoch(1) == resets;
        (if is_current { turn } else { -1 }, resets)
    }

    /// Its free without a native call.
    pub fn give(&self, lent: Lent, held: Held) -> bool {
        self.in_turn(lent, || self.give_slot(held.handle, held.size, true).then_some(())).is_some()
    }

    /// The same of a ring's place, which goes into no magazine.
    pub fn end_place(&self, lent: Lent, held: Held) -> bool {
        let (at, generation) = (Self::at(held.handle.slot), held.handle.generation.0.cast_signed());
        let end = || (self.word(at) == generation).then(|| self.store(at, generation + 1));
        self.in_turn(lent, end).is_some()
    }

    /// Cuts off the arena's piece that a magazine lends; gives where in it.
    pub fn cut(&self, lent: Lent, size: u64) -> Option<u64> {
        let home = lent.home;
        self.in_turn(lent, || {
            let (shift, cut) = (self.word(home + UNIT_SHIFT), self.word(home + CUT));
            let next = cut + ((size as i32 + (1 << shift) - 1) >> shift);
            if next > self.word(home + UNITS) {
                return None;
            }
            self.store(home + CUT, next);
            self.add(home + GRANTED, size as i32);
            self.add(home + TAKEN, 1);
            Some((cut << shift) as u64)
        })
    }

    /// A grant by a native call, and the magazine that serves the next ones, if there is one.
    pub fn ask(&self, id: AllocatorId, size: u64) -> (Held, Option<Lent>) {
        let taken = self.isolate.allocate_in(id, size, Label::NONE).unwrap();
        let held = Held { handle: taken.handle, offset: taken.offset, size };
        (held, (taken.home != 0).then(|| self.lent(id, taken.home)))
    }

    /// What the native side has just lent.
    pub fn lent(&self, id: AllocatorId, home: usize) -> Lent {
        Lent { id, home, turn: self.word(home + TURN) }
    }

    /// `getInstance`.
    pub fn open(&self, kind: Kind, total: u64) -> AllocatorId {
        let measures = Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false };
        self.isolate.open_allocator("shared", measures).unwrap()
    }
}
