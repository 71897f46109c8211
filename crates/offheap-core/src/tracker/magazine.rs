//! Magazines: where chunks lie that are lent to an isolate's JavaScript and free, and the sums of what it took out.
//! JavaScript takes slots out and puts them in; Rust does so only in calls from the same thread.

use super::isolate::{IsolateTable, word};
use super::state::Slot;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering, sized};

/// How many magazines a table has.
pub const MAGAZINES: usize = sized(818, 42);
/// First word of the first one.
const FIRST: usize = 64;
/// Words from one to the next: a header of four, and its slots.
const WORDS: usize = sized(80, 12);
/// Most slots in one.
pub const MAGAZINE_SLOTS: usize = sized(64, 6);
const _: () = assert!(FIRST + MAGAZINES * WORDS <= super::isolate::HANDED);

/// Words of a magazine.
pub mod header {
    /// Slots in it.
    pub const LENGTH: usize = 0;
    /// Most that JavaScript may put in.
    pub const CAPACITY: usize = 1;
    /// How much was taken out so far, in the magazine's unit, modulo 2^32.
    pub const TAKEN: usize = 2;
    /// The most that `front::WRITTEN` may be of what JavaScript puts in: 0 when what was written must be zeroed before, by
    /// a native call; else no number is more.
    pub const WRITTEN_MAX: usize = 3;
    /// The slots, the newest last.
    pub const SLOTS: usize = 4;
    /// Of a magazine of grants: bytes of them in the program's hands, modulo 2^32. Of an arena's: bytes that were asked.
    pub const GRANTED: usize = SLOTS + super::MAGAZINE_SLOTS;
    /// Of both: the allocator's turn while they are lent.
    pub const TURN: usize = GRANTED + 1;

    // Of a piece of an arena, in place of slots.

    /// Units that were cut.
    pub const CUT: usize = SLOTS;
    /// All units.
    pub const UNITS: usize = SLOTS + 1;
    /// Level of what is cut.
    pub const LEVEL: usize = SLOTS + 2;
    /// That level's generation.
    pub const STAY: usize = SLOTS + 3;
    /// The logarithm of a unit's bytes.
    pub const UNIT_SHIFT: usize = SLOTS + 4;
}

/// What a native side knows of a table's magazines.
#[derive(Debug)]
pub(super) struct Totals {
    magazines: Box<[Total]>,
    live: AtomicU64, // bytes; its lower half is what the word `LIVE` was when somebody looked last
    used: AtomicU32, // magazines that were ever opened
}

#[derive(Debug, Default)]
struct Total {
    unit: AtomicU64,  // bytes for each that was taken; 0 for grants, which are no blocks
    live: AtomicU64,  // of grants: bytes, as `Totals::live`
    taken: AtomicU64, // its lower half is what the word was when somebody looked last
    past: AtomicU64,  // bytes that former users of the magazine took
    lent: AtomicU32,  // chunks in the magazine or in the program's hands
}

impl Default for Totals {
    fn default() -> Self {
        let magazines = (0..MAGAZINES).map(|_| Total::default()).collect();
        Self { magazines, live: AtomicU64::new(0), used: AtomicU32::new(0) }
    }
}

/// A sum of 64 bits whose lower half somebody else counts on, up or down, and lets us look at each 2^30. A reader in
/// another thread may see the sum and the word of different moments; it is wrong by no more than what lies between.
fn moved(base: u64, word: i32) -> u64 {
    base.wrapping_add_signed(i64::from(word.wrapping_sub((base as u32).cast_signed())))
}

/// The owner's thread only, but for the sums.
impl IsolateTable {
    pub(super) const fn at(magazine: usize) -> usize {
        FIRST + magazine * WORDS
    }

    /// The magazine whose first word is at `home`.
    #[must_use]
    pub const fn magazine_at(home: usize) -> Option<usize> {
        match home.checked_sub(FIRST) {
            Some(words) if words % WORDS == 0 && words / WORDS < MAGAZINES => Some(words / WORDS),
            _ => None,
        }
    }

    /// Its first word.
    #[must_use]
    pub const fn home_of(magazine: usize) -> usize {
        Self::at(magazine)
    }

    /// The size of the blocks of the magazine at a word, if all have the same.
    pub(super) fn unit_at(&self, home: usize) -> u64 {
        let total = Self::magazine_at(home).and_then(|magazine| self.totals.magazines.get(magazine));
        total.map_or(0, |total| total.unit.load(Ordering::Relaxed))
    }

    /// The size of the blocks of a magazine, if all have the same.
    #[must_use]
    pub fn unit_of(&self, magazine: usize) -> u64 {
        self.totals.magazines[magazine].unit.load(Ordering::Relaxed)
    }

    /// A chunk of a magazine is in the program's hands from now on, or no more.
    pub(super) fn count_out(&self, magazine: usize, more: bool) {
        let lent = &self.totals.magazines[magazine].lent;
        if more {
            lent.fetch_add(1, Ordering::Relaxed);
        } else {
            lent.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Opens an empty magazine. `unit_bytes`: of each that will be taken, or 1 when bytes are counted.
    pub fn open_magazine(&self, magazine: usize, capacity: usize, unit_bytes: u64, wipes: bool) {
        let total = &self.totals.magazines[magazine];
        total.past.fetch_add(self.taken_of(magazine) * total.unit.load(Ordering::Relaxed), Ordering::Relaxed);
        let at = Self::at(magazine);
        self.set_word(at + header::TAKEN, 0);
        self.set_word(at + header::GRANTED, 0);
        total.live.store(0, Ordering::Relaxed);
        total.taken.store(0, Ordering::Relaxed);
        total.unit.store(unit_bytes, Ordering::Relaxed);
        total.lent.store(0, Ordering::Relaxed);
        self.set_word(at + header::LENGTH, 0);
        self.set_word(at + header::WRITTEN_MAX, if wipes { 0 } else { i32::MAX });
        self.set_capacity(magazine, capacity);
        self.totals.used.fetch_max(magazine as u32 + 1, Ordering::Relaxed);
    }

    /// How many slots are in it; JavaScript's word, so never above what fits.
    #[must_use]
    pub fn magazine_length(&self, magazine: usize) -> usize {
        usize::try_from(self.word(Self::at(magazine) + header::LENGTH)).unwrap_or(0).min(MAGAZINE_SLOTS)
    }

    /// How many JavaScript may put in.
    #[must_use]
    pub fn capacity(&self, magazine: usize) -> usize {
        usize::try_from(self.word(Self::at(magazine) + header::CAPACITY)).unwrap_or(0)
    }

    /// Changes how many JavaScript may put in.
    pub fn set_capacity(&self, magazine: usize, capacity: usize) {
        let capacity = capacity.min(MAGAZINE_SLOTS) as i32;
        self.set_word(Self::at(magazine) + header::CAPACITY, capacity);
    }

    /// Puts a slot in. False when it is full.
    pub fn load(&self, magazine: usize, slot: Slot) -> bool {
        let (at, length) = (Self::at(magazine), self.magazine_length(magazine));
        if length == MAGAZINE_SLOTS {
            return false;
        }
        self.set_word(at + header::SLOTS + length, slot.0.cast_signed());
        self.set_word(at + header::LENGTH, length as i32 + 1);
        self.totals.magazines[magazine].lent.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Takes the `count` oldest slots out.
    pub fn unload(&self, magazine: usize, count: usize, mut each: impl FnMut(Slot)) {
        let (at, length) = (Self::at(magazine) + header::SLOTS, self.magazine_length(magazine));
        let count = count.min(length);
        for index in 0..count {
            each(Slot(self.word(at + index).cast_unsigned()));
        }
        for index in count..length {
            self.set_word(at + index - count, self.word(at + index));
        }
        self.set_word(Self::at(magazine) + header::LENGTH, (length - count) as i32);
        self.totals.magazines[magazine].lent.fetch_sub(count as u32, Ordering::Relaxed);
    }

    /// Takes the newest slot out.
    pub fn unload_newest(&self, magazine: usize) -> Option<Slot> {
        let length = self.magazine_length(magazine).checked_sub(1)?;
        self.set_word(Self::at(magazine) + header::LENGTH, length as i32);
        self.count_out(magazine, false);
        Some(Slot(self.word(Self::at(magazine) + header::SLOTS + length).cast_unsigned()))
    }

    /// How many of a magazine's chunks are in the program's hands.
    #[must_use]
    pub fn out_of(&self, magazine: usize) -> u32 {
        let lent = self.totals.magazines[magazine].lent.load(Ordering::Relaxed);
        lent.saturating_sub(self.magazine_length(magazine) as u32)
    }

    /// Nothing lies ready in a magazine any more.
    pub fn clear(&self, magazine: usize) {
        self.set_word(Self::at(magazine) + header::LENGTH, 0);
    }

    /// How much was taken out of it, in its unit.
    #[must_use]
    pub fn taken_of(&self, magazine: usize) -> u64 {
        let base = self.totals.magazines[magazine].taken.load(Ordering::Relaxed);
        moved(base, self.word(Self::at(magazine) + header::TAKEN))
    }

    /// Looks at what was taken and what is out, before a word has gone around; JavaScript asks for it each 2^30.
    pub fn note_taken(&self, magazine: usize) {
        let total = &self.totals.magazines[magazine];
        total.taken.store(self.taken_of(magazine), Ordering::Relaxed);
        total.live.store(self.granted_of(magazine), Ordering::Relaxed);
    }

    /// The same of every magazine.
    pub fn note_all_taken(&self) {
        self.used().for_each(|magazine| self.note_taken(magazine));
    }

    /// Adds to what was taken out of a magazine: `more` in its unit, of which `bytes` are live now.
    pub(super) fn count(&self, magazine: usize, more: i64, bytes: i64) {
        let taken = self.taken_of(magazine).wrapping_add_signed(more);
        self.totals.magazines[magazine].taken.store(taken, Ordering::Relaxed);
        self.set_word(Self::at(magazine) + header::TAKEN, (taken as u32).cast_signed());
        if self.totals.magazines[magazine].unit.load(Ordering::Relaxed) == 0 {
            let granted = self.granted_of(magazine).wrapping_add_signed(bytes);
            self.totals.magazines[magazine].live.store(granted, Ordering::Relaxed);
            self.set_word(Self::at(magazine) + header::GRANTED, (granted as u32).cast_signed());
            return;
        }
        let live = self.live_bytes().wrapping_add_signed(bytes);
        // Near it, so that the word is not mistaken, and not the same, so that `look` sees that there is something to see.
        self.totals.live.store(live.wrapping_sub(1), Ordering::Relaxed);
        let live = (live as u32).cast_signed();
        self.set_word(word::LIVE, live);
        if live.wrapping_sub(self.word(word::HIGH)) > 0 {
            self.set_word(word::HIGH, live);
        }
    }

    /// Of a magazine of grants: bytes of them in the program's hands.
    #[must_use]
    pub fn granted_of(&self, magazine: usize) -> u64 {
        let base = self.totals.magazines[magazine].live.load(Ordering::Relaxed);
        moved(base, self.word(Self::at(magazine) + header::GRANTED))
    }

    /// Bytes of lent chunks in the program's hands.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        moved(self.totals.live.load(Ordering::Relaxed), self.word(word::LIVE))
    }

    /// The most that they were since the last [`IsolateTable::look`].
    #[must_use]
    pub fn high_bytes(&self) -> u64 {
        moved(self.totals.live.load(Ordering::Relaxed), self.word(word::HIGH))
    }

    /// Whether nothing of it has changed since somebody looked.
    #[inline]
    pub(super) fn is_looked_at(&self) -> bool {
        let (live, high) = (self.word(word::LIVE), self.word(word::HIGH));
        live == high && live.cast_unsigned() == self.totals.live.load(Ordering::Relaxed) as u32
    }

    /// Looks at what is live, before the word has gone around, and begins to look for a new maximum.
    #[inline]
    pub fn look(&self) {
        self.totals.live.store(self.live_bytes(), Ordering::Relaxed);
        self.set_word(word::HIGH, self.word(word::LIVE));
    }

    /// Magazines that were ever opened.
    fn used(&self) -> impl Iterator<Item = usize> {
        0..self.totals.used.load(Ordering::Relaxed) as usize
    }

    /// Bytes handed out without a native call, ever.
    #[must_use]
    pub fn allocated_bytes(&self) -> u64 {
        let bytes = |magazine: usize| {
            let total = &self.totals.magazines[magazine];
            total.past.load(Ordering::Relaxed) + self.taken_of(magazine) * total.unit.load(Ordering::Relaxed)
        };
        self.used().map(bytes).fold(0, u64::wrapping_add)
    }

    /// Lent chunks in the program's hands.
    #[must_use]
    pub fn live_chunks(&self) -> u64 {
        let is_blocks = |magazine: &usize| self.totals.magazines[*magazine].unit.load(Ordering::Relaxed) > 0;
        self.used().filter(is_blocks).map(|magazine| u64::from(self.out_of(magazine))).sum()
    }

    /// Lends a piece of an arena in place of slots: units that were cut, all units, level and generation of what is
    /// cut of it, and the logarithm of a unit's bytes.
    pub fn set_stretch(&self, magazine: usize, words: [i32; 5]) {
        for (index, word) in words.into_iter().enumerate() {
            self.set_word(Self::at(magazine) + header::CUT + index, word);
        }
    }

    /// How many units of a stretch were cut.
    #[must_use]
    pub fn cut_of(&self, magazine: usize) -> u64 {
        u64::from(self.word(Self::at(magazine) + header::CUT).cast_unsigned())
    }

    /// Nothing is left of a stretch from now on.
    pub fn end_stretch(&self, magazine: usize) {
        let at = Self::at(magazine);
        self.set_word(at + header::CUT, 0);
        self.set_word(at + header::UNITS, 0);
        self.note_taken(magazine);
    }

    /// Notes in which turn of its allocator a magazine is lent.
    pub fn set_turn(&self, magazine: usize, turn: i32) {
        self.set_word(Self::at(magazine) + header::TURN, turn);
    }

    /// Forgets what lies in a magazine, and what came from it.
    pub fn abandon_magazine(&self, magazine: usize) {
        self.note_taken(magazine);
        self.set_capacity(magazine, 0);
        self.set_word(Self::at(magazine) + header::LENGTH, 0);
        self.totals.magazines[magazine].lent.store(0, Ordering::Relaxed);
    }

    /// Something that changes whenever JavaScript uses a magazine.
    #[must_use]
    pub fn activity(&self) -> i32 {
        let of = |magazine| {
            let at = Self::at(magazine);
            self.word(at + header::TAKEN).wrapping_mul(3).wrapping_add(self.word(at + header::LENGTH))
        };
        self.used().map(of).fold(0, i32::wrapping_add)
    }

    /// The isolate has ended and nothing is lent any more. It may have been stopped between any two stores: what
    /// it counted last is put right.
    pub fn close_magazines(&self) {
        for magazine in self.used() {
            self.abandon_magazine(magazine);
        }
        self.totals.live.store(0, Ordering::Relaxed);
        self.set_word(word::LIVE, 0);
        self.set_word(word::HIGH, 0);
        self.set_word(word::BUSY, 0);
    }
}
