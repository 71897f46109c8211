//! Front: what this isolate's JavaScript may hand out by itself. Chunks are lent to it in magazines, one for each
//! small class and one for each pool; a native call fills or empties one by up to half of what it holds. Whatever
//! else happens to a lent block (a view, a pin, a reallocation) first makes its record speak for it again.

use super::{Isolate, Request};
use crate::alloc::chunks::{capacity, classes};
use crate::base::error::Result;
use crate::raw;
use crate::tracker::isolate::{IsolateTable, word};
use crate::tracker::lent::{Front, Loan, moment};
use crate::tracker::magazine::{MAGAZINE_SLOTS, MAGAZINES};
use crate::tracker::record::Record;
use crate::tracker::state::{AlignmentCode, Generation, Handle, Owner, Slot, State};

/// Magazines of the manager's own blocks: one for each class that is cut from spans.
pub(super) const CLASS_MAGAZINES: usize = 40;
const _: () = assert!(classes::size_of(CLASS_MAGAZINES as u8 - 1) == classes::SMALL_MAX);

/// The most bytes in all pools' magazines together if each were full. JavaScript counts what is live modulo 2^32, and
/// between two native calls it can only take out what lies in magazines, or fill them: less than 2^31 bytes with those
/// of the classes. So the sum is never mistaken, without a look at it in each free.
pub(super) const SWING_MAX: u64 = 1 << 30;
const _: () =
    assert!(SWING_MAX + CLASS_MAGAZINES as u64 * MAGAZINE_SLOTS as u64 * classes::SMALL_MAX < 1 << 31);

/// What stands behind the magazines.
#[derive(Debug)]
pub(super) struct Magazines {
    enabled: bool,
    reserves: Box<[Vec<Slot>]>, // lent, in no magazine, the newest last
    free: Vec<usize>,           // magazines that a closed pool left
    next: usize,
    swing_bytes: u64, // see `SWING_MAX`
}

impl Magazines {
    /// Opens the magazines of the classes in a table.
    pub(super) fn open(table: &IsolateTable, enabled: bool) -> Self {
        for magazine in 0..CLASS_MAGAZINES {
            let room = if enabled { capacity(magazine as u8) } else { 0 };
            table.open_magazine(magazine, room, 1, false);
        }
        let reserves = (0..MAGAZINES).map(|_| Vec::new()).collect();
        Self { enabled, reserves, free: Vec::new(), next: CLASS_MAGAZINES, swing_bytes: 0 }
    }
}

impl Isolate {
    /// Fills the magazine that serves a request. False when it cannot be served from one, or not now.
    pub fn refill(&self, request: Request) -> bool {
        let plain = request.alignment == AlignmentCode::WORD && !request.zeroed && request.label.0 == 0;
        let Ok(class) = request.class() else { return false };
        let magazine = usize::from(class);
        if !plain || magazine >= CLASS_MAGAZINES || !self.may_lend() {
            return false;
        }
        self.counter.look();
        self.table.note_taken(magazine);
        self.drop_spent(magazine);
        if self.table.magazine_length(magazine) > 0 {
            return true; // it was the clock that stood
        }
        let most = (capacity(class) / 2).max(1);
        if !self.refill_from_reserve(magazine, most) {
            let loan = Loan { owner: Owner::block(self.number), label: 0, alignment: AlignmentCode::WORD };
            self.lend_fresh(class, magazine, most, loan);
        }
        self.table.magazine_length(magazine) > 0
    }

    /// A count of JavaScript's has gone a quarter around.
    pub fn note_taken(&self) {
        self.counter.look();
        self.table.note_all_taken();
    }

    /// Whether JavaScript may hand something out by itself at all.
    pub(super) fn lends(&self) -> bool {
        self.front.borrow().enabled
    }

    /// Whether it may now.
    pub(super) fn may_lend(&self) -> bool {
        self.lends() && self.manager.start_clock(&self.table)
    }

    /// Moves the newest lent chunks that are in no magazine into theirs.
    pub(super) fn refill_from_reserve(&self, magazine: usize, most: usize) -> bool {
        let mut front = self.front.borrow_mut();
        let reserve = &mut front.reserves[magazine];
        let room = MAGAZINE_SLOTS - self.table.magazine_length(magazine);
        let from = reserve.len().saturating_sub(most.min(room));
        for slot in reserve.split_off(from) {
            self.table.load(magazine, slot);
        }
        self.table.magazine_length(magazine) > 0
    }

    fn lend_fresh(&self, class: u8, magazine: usize, most: usize, loan: Loan) {
        let manager = self.manager;
        let mut cache = self.cache.borrow_mut();
        let fit = |slot| self.is_lendable(slot);
        let taken = cache.take_fresh(&manager.chunks, &manager.tracker, class, most, true, fit);
        for slot in taken.unwrap_or_default() {
            if self.lend(slot, class, magazine, loan) {
                self.table.load(magazine, slot);
            } else {
                cache.keep(class, slot);
            }
        }
    }

    /// Takes one free chunk that can be lent.
    pub(super) fn take_lendable(&self, class: u8) -> Option<Slot> {
        let (chunks, tracker) = (&self.manager.chunks, &self.manager.tracker);
        let fit = |slot| self.is_lendable(slot);
        self.cache.borrow_mut().take_fresh(chunks, tracker, class, 1, false, fit).ok()?.pop()
    }

    pub(super) fn is_lendable(&self, slot: Slot) -> bool {
        let record = self.manager.tracker.shared(slot);
        record.is_some_and(|record| record.is_lendable(slot, &self.table))
    }

    /// Lends one free chunk; it is in no magazine then.
    pub(super) fn lend(&self, slot: Slot, class: u8, magazine: usize, loan: Loan) -> bool {
        let Some(record) = self.manager.tracker.shared(slot) else { return false };
        let before = record.state();
        let lent = record.lend(slot, &self.table, magazine, loan);
        if lent && before.has(State::DECOMMITTED) {
            self.manager.chunks.recommitted(class);
        }
        lent
    }

    /// Takes chunks whose records are spent out of a magazine: their memory goes on under fresh ones.
    pub(super) fn drop_spent(&self, magazine: usize) {
        let mut slots = Vec::new();
        self.table.unload(magazine, MAGAZINE_SLOTS, |slot| slots.push(slot));
        for slot in slots {
            if self.table.front(slot).is_some_and(|front| front.generation < Generation::MAX) {
                self.table.load(magazine, slot);
            } else {
                self.unlend(slot);
            }
        }
    }

    /// A lent chunk that nobody has is free as any other.
    pub(super) fn unlend(&self, slot: Slot) {
        if let Some(record) = self.take_back(slot) {
            self.put(slot, record.place().class, record.state());
        }
    }

    /// The same, for a caller who has a use for it.
    pub(super) fn take_back(&self, slot: Slot) -> Option<Record<'static>> {
        let record = self.manager.tracker.shared(slot)?;
        let front = self.front_of(&record, slot)?;
        if front.generation.is_live() {
            return None;
        }
        record.take_back(slot, &self.table);
        Some(record)
    }

    /// What the table says of a chunk that is lent to it.
    pub(super) fn front_of(&self, record: &Record<'_>, slot: Slot) -> Option<Front> {
        if self.table.is_lender(record.state()) { self.table.front(slot) } else { None }
    }

    /// A lent block in the program's hands, and its magazine.
    #[inline]
    pub(super) fn lent(&self, handle: Handle) -> Option<(Record<'static>, Front, usize)> {
        let record = self.manager.tracker.shared(handle.slot)?;
        if record.state().has(State::LENT) { self.lent_by(record, handle) } else { None }
    }

    fn lent_by(&self, record: Record<'static>, handle: Handle) -> Option<(Record<'static>, Front, usize)> {
        let front = self.front_of(&record, handle.slot)?;
        if front.generation != handle.generation || !handle.generation.is_live() {
            return None;
        }
        Some((record, front, IsolateTable::magazine_at(front.home)?))
    }

    /// Makes a lent block's record speak for it. Nothing happens to any other.
    #[inline]
    pub(super) fn adopt(&self, handle: Handle) {
        if let Some((record, front, magazine)) = self.lent(handle) {
            self.adopt_lent(handle, record, front, magazine);
        }
    }

    #[cold]
    fn adopt_lent(&self, handle: Handle, record: Record<'static>, front: Front, magazine: usize) {
        if record.place().is_grant() {
            return; // its allocator's
        }
        // While a limit is set nobody may look at the total between the two counts.
        let admission = self.manager.admit(0);
        self.counter.look();
        let pooled = magazine >= CLASS_MAGAZINES;
        record.speak(handle, front, moment(front.born, raw::now_ms()));
        self.table.forget(handle.slot, magazine, front.size, if pooled { 1 } else { front.size });
        self.counter.adopted(front.size);
        drop(admission);
        if pooled {
            self.adopt_pooled(record.origin().owner);
        }
    }

    /// Ends a lent block of the manager, and puts it into its magazine; half of that goes on when it is full. False
    /// when it is no such block.
    #[inline]
    pub(super) fn put_back(&self, handle: Handle) -> bool {
        self.lent(handle).is_some_and(|(_, front, magazine)| self.put_lent_back(handle, front, magazine))
    }

    fn put_lent_back(&self, handle: Handle, front: Front, magazine: usize) -> bool {
        if magazine >= CLASS_MAGAZINES {
            return false; // a pool's, or an allocator's
        }
        self.counter.look();
        let capacity = self.table.capacity(magazine);
        if self.table.magazine_length(magazine) >= capacity {
            self.spill(magazine, capacity.div_ceil(2), MAGAZINE_SLOTS);
        }
        self.table.end(handle, magazine, front.size);
        if !self.table.load(magazine, handle.slot) {
            self.unlend(handle.slot);
        }
        self.may_lend(); // so that the next ones need no call
        true
    }

    /// Moves the oldest chunks of a magazine out of it, and of those behind it all but `kept` back to the cache.
    pub(super) fn spill(&self, magazine: usize, count: usize, kept: usize) {
        let gone: Vec<Slot> = {
            let mut front = self.front.borrow_mut();
            let reserve = &mut front.reserves[magazine];
            self.table.unload(magazine, count, |slot| reserve.push(slot));
            let gone = reserve.len().saturating_sub(kept);
            reserve.drain(..gone).collect()
        };
        for slot in gone {
            self.unlend(slot);
        }
    }

    /// Everything that lies in magazines is free as any other memory.
    pub(super) fn spill_all(&self) {
        self.counter.look();
        for magazine in 0..CLASS_MAGAZINES {
            self.spill(magazine, MAGAZINE_SLOTS, 0);
        }
    }

    /// Puts a lent chunk that nobody has behind its magazine.
    pub(super) fn reserve(&self, magazine: usize, slot: Slot) {
        self.front.borrow_mut().reserves[magazine].push(slot);
    }

    /// How many lent chunks lie behind a magazine.
    pub(super) fn reserved(&self, magazine: usize) -> usize {
        self.front.borrow().reserves[magazine].len()
    }

    /// The newest lent chunk that nobody has, from behind a magazine or from it.
    pub(super) fn take_idle(&self, magazine: usize) -> Option<Slot> {
        let reserved = self.front.borrow_mut().reserves[magazine].pop();
        let slot = reserved.or_else(|| self.table.unload_newest(magazine))?;
        self.take_back(slot).map(|_| slot)
    }

    /// A magazine for a pool or for grants; `None` when nothing is lent here, or all are in use.
    pub(super) fn open_magazine(&self, capacity: usize, unit_bytes: u64, wipes: bool) -> Option<usize> {
        let mut front = self.front.borrow_mut();
        let swing = front.swing_bytes + unit_bytes * MAGAZINE_SLOTS as u64;
        if !front.enabled || self.table.slots() == 0 || swing > SWING_MAX {
            return None;
        }
        let magazine = front.free.pop().or_else(|| {
            front.next += 1;
            (front.next <= MAGAZINES).then(|| front.next - 1)
        })?;
        front.swing_bytes = swing;
        self.table.open_magazine(magazine, capacity, unit_bytes, wipes);
        Some(magazine)
    }

    /// Nothing of a magazine is lent any more.
    pub(super) fn abandon_magazine(&self, magazine: usize) {
        self.table.abandon_magazine(magazine);
        self.front.borrow_mut().free.push(magazine);
    }

    /// A pool needs its magazine no more.
    pub(super) fn close_magazine(&self, magazine: usize) {
        self.spill(magazine, MAGAZINE_SLOTS, 0);
        self.table.set_capacity(magazine, 0);
        let mut front = self.front.borrow_mut();
        front.swing_bytes -= self.table.unit_of(magazine) * MAGAZINE_SLOTS as u64;
        front.free.push(magazine);
    }

    /// The isolate has ended: what is lent to it and nobody has comes back. It may have been stopped anywhere, so
    /// no list of its own is believed.
    pub(super) fn leave_front(&self) {
        self.counter.look();
        self.manager.forget_clock(&self.table);
        self.table.set_word(word::CLOCK, 0);
        let mut lent = Vec::new();
        self.manager.tracker.each_lent(&self.table, |handle, _| lent.push(handle));
        for handle in lent {
            self.unlend(handle.slot); // grants are back by now
        }
        self.table.close_magazines();
    }

    /// The record of a live block of this isolate, which speaks for it from now on.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`].
    pub(super) fn live(&self, handle: Handle) -> Result<Record<'static>> {
        self.adopt(handle);
        self.manager.tracker.live(handle)
    }
}
