//! Lent chunks: free memory that an isolate's JavaScript hands out and takes back without a native call.
//! The chunk keeps its shared record, which says [`State::LENT`] and to which table. Until it comes
//! back, the table's words about its slot are part of the record: the generation there decides. Only the
//! isolate's own thread lends, takes back and hands out, so plain stores suffice, and the generation is the
//! single commit point; other threads only read.

use super::isolate::{FRONT, FRONT_WORDS, IsolateTable, TICK_MS, front, word};
use super::magazine::{MAGAZINE_SLOTS, header};
use super::record::{Record, SEGMENT_BITS};
use super::row::Row;
use super::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot, State};
use super::table::Tracker;
use crate::base::sync::{AtomicI32, Ordering, fence};

/// Ticks of the clock at a moment of [`crate::raw::now_ms`]; never 0.
#[must_use]
pub const fn ticks(now_ms: u64) -> i32 {
    let ticks = ((now_ms / TICK_MS) as u32).cast_signed();
    if ticks == 0 { 1 } else { ticks }
}

/// The moment of a tick that is not later than `now_ms`.
#[must_use]
pub const fn moment(tick: i32, now_ms: u64) -> u64 {
    let now = now_ms / TICK_MS;
    let ago = (now as u32).wrapping_sub(tick.cast_unsigned());
    // A tick that the clock noted a moment after `now_ms` was read is now.
    let ago = if ago > u32::MAX - 64 { 0 } else { ago };
    now.saturating_sub(ago as u64) * TICK_MS
}

/// What a table's words say about a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// Odd while live.
    pub generation: Generation,
    /// First word of its magazine; 0 when the chunk is not lent.
    pub home: usize,
    /// Bytes that were asked.
    pub size: u64,
    /// Birth in ticks.
    pub born: i32,
}

/// Words about slots.
impl IsolateTable {
    fn front_at(&self, slot: Slot) -> Option<usize> {
        let index = slot.0 as usize;
        (index < self.slots()).then_some(FRONT + index * FRONT_WORDS)
    }

    /// What records that are lent to it say; `None` for a table of no tracker.
    #[must_use]
    pub fn lender(&self) -> Option<u16> {
        u16::try_from(self.index()?).ok()
    }

    /// Whether a record of this state is lent to it.
    #[must_use]
    pub fn is_lender(&self, state: State) -> bool {
        state.lender().is_some_and(|lender| self.lender() == Some(lender))
    }

    /// What the words say; `None` for a slot that has none.
    #[must_use]
    pub fn front(&self, slot: Slot) -> Option<Front> {
        let at = self.front_at(slot)?;
        let word = self.word(at + front::HOME).cast_unsigned();
        let home = (word >> 16) as usize;
        let size = if word & 0xffff == 0 { self.unit_at(home) } else { u64::from(word & 0xffff) };
        Some(Front {
            generation: Generation(self.word(at + front::GENERATION).cast_unsigned()),
            home,
            size,
            born: self.word(at + front::BORN),
        })
    }

    /// Of which owner a slot is; `None` for one that has no words.
    #[inline]
    #[must_use]
    pub fn generation(&self, slot: Slot) -> Option<Generation> {
        let words = self.fronts().get(slot.0 as usize)?;
        Some(Generation(words[front::GENERATION].load(Ordering::Relaxed).cast_unsigned()))
    }

    /// The words about all slots that have some.
    #[inline]
    fn fronts(&self) -> &[[AtomicI32; FRONT_WORDS]] {
        self.words[FRONT..].as_chunks().0
    }

    /// Repeats what the record says of a block that is not lent, for JavaScript's look at it.
    #[inline]
    pub fn repeat(&self, handle: Handle) {
        if let Some(at) = self.front_at(handle.slot) {
            self.set_word(at + front::HOME, 0);
            self.set_word(at + front::GENERATION, handle.generation.0.cast_signed());
        }
    }

    /// Says nothing any more of a grant for which its record speaks. By whatever thread: the owner's may have ended it since,
    /// and its record be of a block by now, of which the words tell.
    pub fn withdraw(&self, handle: Handle) {
        if let Some(at) = self.front_at(handle.slot) {
            let live = handle.generation.0.cast_signed();
            let _ = self.words[at + front::GENERATION].compare_exchange(
                live,
                0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }

    /// Notes that something may have been written, or that it was zeroed.
    pub fn set_written(&self, slot: Slot, written: bool) {
        if let Some(at) = self.front_at(slot) {
            self.set_word(at + front::WRITTEN, i32::from(written));
        }
    }

    /// Whether something was written since it was handed out.
    #[must_use]
    pub fn was_written(&self, slot: Slot) -> bool {
        self.front_at(slot).is_some_and(|at| self.word(at + front::WRITTEN) != 0)
    }

    /// The time, as JavaScript sees it: never later than what it notes afterwards.
    #[must_use]
    pub fn now(&self) -> i32 {
        match self.word(word::CLOCK) {
            0 => ticks(crate::raw::now_ms()),
            now => now,
        }
    }

    /// Hands out a lent chunk that lies in no magazine, now. `size`: `None` where all of the magazine are of one size.
    pub fn begin(&self, slot: Slot, magazine: usize, size: Option<u64>) -> Option<Handle> {
        let handle = self.hand_out(slot, magazine, size)?;
        let size = size.unwrap_or_else(|| self.unit_at(Self::at(magazine)));
        self.count_out(magazine, true);
        self.count(magazine, 1, size.cast_signed());
        Some(handle)
    }

    /// The same of what is not counted.
    pub fn hand_out(&self, slot: Slot, magazine: usize, size: Option<u64>) -> Option<Handle> {
        let at = self.front_at(slot)?;
        if let Some(size) = size {
            self.set_word(at + front::HOME, (Self::at(magazine) << 16 | size as usize) as i32);
        }
        let generation = Generation(self.word(at + front::GENERATION).cast_unsigned() + 1);
        self.set_word(at + front::BORN, self.now());
        self.set_word(at + front::GENERATION, generation.0.cast_signed());
        Some(Handle { slot, generation })
    }

    /// Ends an owner's life of a lent chunk, which is in no magazine then.
    pub fn end(&self, handle: Handle, magazine: usize, size: u64) {
        if let Some(at) = self.front_at(handle.slot) {
            self.set_word(at + front::GENERATION, handle.generation.0.cast_signed().wrapping_add(1));
            self.count_out(magazine, false);
            self.count(magazine, 0, -size.cast_signed());
        }
    }

    /// Forgets a chunk in the program's hands that is to be no longer lent, as if it never had been.
    pub fn forget(&self, slot: Slot, magazine: usize, size: u64, taken: u64) {
        if let Some(at) = self.front_at(slot) {
            self.set_word(at + front::HOME, 0);
        }
        self.count_out(magazine, false);
        self.count(magazine, -taken.cast_signed(), -size.cast_signed());
    }
}

/// The record's side of lending. The caller owns the chunk, in the thread of the table's isolate.
impl Record<'_> {
    /// Whether a free chunk can be lent to a table: it was never viewed, its record is not spent, and the table has
    /// words for it.
    #[must_use]
    pub fn is_lendable(&self, slot: Slot, table: &IsolateTable) -> bool {
        let state = self.state();
        (slot.0 as usize) < table.slots()
            && table.lender().is_some()
            && !state.has(State::EVER_VIEWED)
            && state.generation() < Generation::MAX
    }

    /// Lends a free chunk that was never viewed to a table. False when it cannot be lent: the table has no words for
    /// it, or its record is spent.
    #[must_use]
    pub fn lend(&self, slot: Slot, table: &IsolateTable, magazine: usize, loan: Loan) -> bool {
        let (state, at) = (self.state(), table.front_at(slot));
        let (Some(at), Some(lender)) = (at, table.lender()) else { return false };
        if !self.is_lendable(slot, table) {
            return false;
        }
        table.set_word(at + front::HOME, (IsolateTable::at(magazine) << 16) as i32);
        let place = self.place();
        table.set_word(at + front::WRITTEN, if place.is_grant() { place.offset.cast_signed() } else { 0 });
        table.set_word(at + front::GENERATION, state.generation().0.cast_signed());
        let extent = Extent { size: 0, label: loan.label };
        // Most say the same as each time before, or as no time before: then their memory need not be touched.
        if self.extent.load(Ordering::Relaxed) != extent.pack() {
            self.extent.store(extent.pack(), Ordering::Release); // as in `begin`
        }
        // Release: as in `begin`.
        self.origin.store(Origin { born_ms: 0, owner: loan.owner }.pack(), Ordering::Release);
        self.state.store(state.lent(loan.alignment, lender).0, Ordering::Release);
        true
    }

    /// Takes a lent chunk back that nobody has: it is free as before.
    pub fn take_back(&self, slot: Slot, table: &IsolateTable) {
        let Some(front) = table.front(slot) else { return };
        table.repeat(Handle { slot, generation: front.generation });
        self.state.store(State::new(front.generation, 0).0, Ordering::Release);
    }

    /// Lets the record alone speak for a lent chunk in the program's hands.
    pub fn speak(&self, handle: Handle, front: Front, born_ms: u64) {
        let state = self.state();
        let extent = Extent { size: front.size, label: self.extent().label };
        self.extent.store(extent.pack(), Ordering::Release);
        self.origin.store(Origin { born_ms, owner: self.origin().owner }.pack(), Ordering::Release);
        let live = State::new(Generation(handle.generation.0 - 1), 0).begun(state.alignment());
        self.state.store(live.0, Ordering::Release);
        // Whoever finds the words of the table changed after this finds that the record speaks; pairs with the fence in
        // `Tracker::row_in`.
        fence(Ordering::Release);
    }

    /// The row of a lent chunk in the program's hands; `None` when it is free, or changed while it was read. `state`:
    /// the record's, which was lent; by now it may be anything else.
    pub(super) fn lent_row(&self, state: State, slot: Slot, table: &IsolateTable) -> Option<Row> {
        let now_ms = crate::raw::now_ms();
        let front = table.front(slot)?;
        let (place, extent, origin) = (self.place(), self.extent(), self.origin());
        fence(Ordering::Acquire); // as in `Tracker::shared_row`
        let same = self.state() == state && table.front(slot) == Some(front);
        if !same || !front.generation.is_live() || front.home == 0 {
            return None;
        }
        Some(Row {
            handle: Handle { slot, generation: front.generation },
            place,
            extent: Extent { size: front.size, label: extent.label },
            born_ms: moment(front.born, now_ms) & ((1 << 40) - 1),
            owner: origin.owner,
            alignment: state.alignment(),
            pins: 0,
            state: State::new(front.generation, 0),
        })
    }
}

impl Tracker {
    /// Moves grants that are lent to a table, and that nobody has, to places one behind the other, `size_bytes` apart, and lays
    /// all but the first ready in an empty magazine into which nothing comes back, in the order in which they will be taken. Who
    /// takes one says in which magazine it lies. Of what is in it nothing is counted in its words but how much was laid, so that
    /// something has changed whenever a clock looks.
    pub fn lay_lent(
        &self,
        slots: impl ExactSizeIterator<Item = Slot>,
        table: &IsolateTable,
        magazine: usize,
        first: Place,
        size_bytes: u64,
    ) {
        let (at, fronts, units) =
            (IsolateTable::at(magazine), table.fronts(), Place::grant(0, size_bytes).offset);
        let ready = slots.len().saturating_sub(1).min(MAGAZINE_SLOTS);
        let magazine_words = &table.words[at + header::SLOTS..][..ready];
        let (mut place, mut known) = (first, None);
        for (index, slot) in slots.enumerate() {
            let (row, number) = (slot.0 as usize, slot.0 as usize >> SEGMENT_BITS);
            let segment = match known {
                Some((segment, columns)) if segment == number => Some(columns),
                _ => self.segment(number), // the one of the slot before, as a rule
            };
            if let (Some(columns), Some(words)) = (segment, fronts.get(row)) {
                known = Some((number, columns));
                columns.record(row).place.store(place.pack(), Ordering::Release); // as in `bind`
                words[front::WRITTEN].store(place.offset.cast_signed(), Ordering::Relaxed);
            }
            if let Some(word) = magazine_words.get(ready.wrapping_sub(index)) {
                word.store(slot.0.cast_signed(), Ordering::Relaxed); // the first one has none
            }
            place.offset += units;
        }
        table.set_word(at + header::LENGTH, ready as i32);
        table.set_word(at + header::TAKEN, table.word(at + header::TAKEN).wrapping_add(ready as i32 + 1));
    }
}

/// To whom a chunk is lent, and as what.
#[derive(Debug, Clone, Copy)]
pub struct Loan {
    /// Who hands it out.
    pub owner: Owner,
    /// Label of every block.
    pub label: u16,
    /// Alignment of every block.
    pub alignment: AlignmentCode,
}
