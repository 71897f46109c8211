//! An isolate's table: memory that Rust owns and one JavaScript isolate reads and writes through a
//! single Int32Array. It holds a header, magazines of free chunks that are lent to that isolate
//! ([`super::lent`]), and words about each of them. Every word is written in one size only; Rust
//! reads and writes them as Relaxed atomics and trusts none of them.

use super::magazine::Totals;
use super::record::SEGMENT_SLOTS;
use super::state::{Handle, Slot};
use crate::base::sync::{Arc, AtomicI32, Mutex, OnceLock, Ordering, lock, sized};
use crate::raw::bytes::Bytes;
use crate::raw::words;

/// Version of the layout below; the facade refuses another.
pub const LAYOUT: i32 = 4;
/// Default size: address space only, committed when touched. Enough to lend the first million chunks.
pub const DEFAULT_BYTES: usize = 16 << 20;
/// First of 65,536 header words, one for each slot of the first segment: the generation to which a
/// buffer over its chunk was handed last. JavaScript stores it before it hands a kept buffer out; a
/// native call for that would cost as much as the view.
pub const HANDED: usize = sized(SEGMENT_SLOTS, 64 + 42 * 12);
/// First of the words about single slots, four each; as many slots as the table has room for.
pub const FRONT: usize = HANDED + SEGMENT_SLOTS;
/// Words about a slot.
pub const FRONT_WORDS: usize = 4;

/// Header words.
pub mod word {
    /// [`super::LAYOUT`].
    pub const LAYOUT: usize = 0;
    /// The coarse clock, in ticks of [`super::TICK_MS`]. 0 while nobody keeps it, or while nothing may be taken
    /// from a magazine: then JavaScript makes a native call.
    pub const CLOCK: usize = 1;
    /// Bytes of lent chunks in the program's hands, modulo 2^32.
    pub const LIVE: usize = 2;
    /// The most that `LIVE` was since a native call last looked, in the same terms.
    pub const HIGH: usize = 3;
    /// 1 while JavaScript is between its look whether an allocator is its isolate's alone and its last store.
    pub const BUSY: usize = 4;
    /// 1 while a native call works on bytes of a grant that it found live.
    pub const OPERATING: usize = 5;
    /// First of eight words in which a native call leaves its results.
    pub const RESULT: usize = 8;
    /// First of sixteen words in which JavaScript leaves a native call's arguments.
    pub const ARGUMENT: usize = 16;
}

/// Milliseconds of a tick of the clock: what the system's coarse clock is right to on most Linux systems. 32
/// bits of ticks are 198 days, after which an age begins anew.
pub const TICK_MS: u64 = 4;

/// Words about a slot, from its first.
pub mod front {
    /// Of which owner the chunk is, as far as this isolate knows: odd while live. While the chunk is lent this is
    /// what decides; else it repeats what the record says of a block of this isolate.
    pub const GENERATION: usize = 0;
    /// `home:16 | size:16`: the magazine's first word, 0 when the chunk is not lent; bytes that were asked,
    /// 0 where all of a magazine are of one size.
    pub const HOME: usize = 1;
    /// Birth in ticks.
    pub const BORN: usize = 2;
    /// 1 when something was written since it was handed out. Of use where released memory is zeroed. Of a grant
    /// where it begins, in units of 16 bytes.
    pub const WRITTEN: usize = 3;
}

/// One isolate's table. Reused by a later isolate when its own has ended; never freed.
#[derive(Debug)]
pub struct IsolateTable {
    pub(super) words: &'static [AtomicI32],
    pub(super) totals: Totals,
    index: OnceLock<u32>,
}

/// How many slots a table of about `bytes` has words for.
const fn slots_of(bytes: usize) -> usize {
    (bytes / size_of::<i32>()).saturating_sub(FRONT) / FRONT_WORDS
}

impl IsolateTable {
    /// Reserves a table of about `bytes`; `None` when the system refuses. Less than the header takes (512 KiB) makes
    /// a table with a header only: then nothing is lent.
    #[must_use]
    pub fn reserve(bytes: usize) -> Option<Self> {
        let slots = slots_of(bytes).min(Slot::COUNT as usize);
        let words = words::zeroed_i32(FRONT.checked_add(slots.checked_mul(FRONT_WORDS)?)?)?;
        words[word::LAYOUT].store(LAYOUT, Ordering::Relaxed);
        Some(Self { words, totals: Totals::default(), index: OnceLock::new() })
    }

    /// Whether it is the size that `reserve` would make of `bytes`.
    #[must_use]
    pub fn is_for(&self, bytes: usize) -> bool {
        self.slots() == slots_of(bytes).min(Slot::COUNT as usize)
    }

    /// Slots below this have words.
    #[must_use]
    pub const fn slots(&self) -> usize {
        (self.words.len() - FRONT) / FRONT_WORDS
    }

    /// Which of all tables it is.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        self.index.get().copied()
    }

    /// All words, for the view.
    #[must_use]
    pub fn bytes(&self) -> Bytes<'static> {
        words::bytes_of_i32(self.words)
    }

    /// One header word.
    #[must_use]
    pub fn word(&self, index: usize) -> i32 {
        self.words[index].load(Ordering::Relaxed)
    }

    /// Writes one header word.
    pub fn set_word(&self, index: usize, value: i32) {
        self.words[index].store(value, Ordering::Relaxed);
    }

    /// Notes to which owner of a chunk a buffer is about to be handed. A slot of the first segment.
    pub fn set_handed(&self, handle: Handle) {
        self.words[HANDED + (handle.slot.0 as usize & (SEGMENT_SLOTS - 1))]
            .store(handle.generation.0.cast_signed(), Ordering::Relaxed);
    }

    /// Whether the last buffer over a chunk was handed to this owner; false for slots above the first
    /// segment, which have no word.
    #[must_use]
    pub fn was_handed(&self, handle: Handle) -> bool {
        let index = handle.slot.0 as usize;
        index < SEGMENT_SLOTS
            && self.words[HANDED + index].load(Ordering::Relaxed) == handle.generation.0.cast_signed()
    }

    /// Two argument words as one number: the first is the lower half.
    #[must_use]
    pub fn argument_u64(&self, index: usize) -> u64 {
        let half = |index: usize| u64::from(self.word(word::ARGUMENT + index).cast_unsigned());
        half(index) | (half(index + 1) << 32)
    }
}

/// The tables of the process, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Tables {
    all: Mutex<Vec<Arc<IsolateTable>>>,
}

impl Tables {
    /// Gives a new table its number.
    pub fn add(&self, table: &Arc<IsolateTable>) {
        let mut all = lock(&self.all);
        if table.index.set(all.len() as u32).is_ok() {
            all.push(Arc::clone(table));
        }
    }

    /// All of them, as of now.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<IsolateTable>> {
        lock(&self.all).clone()
    }

    /// A sum over all of them, which wraps.
    pub fn sum(&self, of: impl Fn(&IsolateTable) -> u64) -> u64 {
        lock(&self.all).iter().map(|table| of(table)).fold(0, u64::wrapping_add)
    }
}
