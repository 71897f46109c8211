//! An isolate's table: memory that Rust owns and one JavaScript isolate reads and writes through a
//! single Int32Array. It holds a header, and records of 8 words that only that isolate begins and
//! ends. Every word is written in one size only; Rust reads and writes them as Relaxed atomics and
//! trusts none of them.

use super::record::{SEGMENT_BITS, SEGMENT_SLOTS};
use super::state::{Generation, Handle, Slot};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{AtomicI32, AtomicUsize, Ordering, fence};
use crate::raw::bytes::Bytes;
use crate::raw::words;

/// Version of the layout below; the facade refuses another.
pub const LAYOUT: i32 = 2;
/// Default size: address space only, committed when touched.
pub const DEFAULT_BYTES: usize = 16 << 20;
/// Words before the first record: header, arguments and results, and room for magazines.
pub const HEADER_WORDS: usize = SEGMENT_SLOTS * RECORD_WORDS;
/// Words of a record.
pub const RECORD_WORDS: usize = 8;
/// First of 65,536 header words, one for each slot of the first segment: the generation to which a
/// buffer over its chunk was handed last. JavaScript stores it before it hands a kept buffer out; a
/// native call for that would cost as much as the view.
pub const HANDED: usize = SEGMENT_SLOTS;
const _: () = assert!(HANDED + SEGMENT_SLOTS <= HEADER_WORDS);

/// Header words.
pub mod word {
    /// [`super::LAYOUT`].
    pub const LAYOUT: usize = 0;
    /// The coarse clock: 8 ms ticks, 0 while nobody keeps it.
    pub const CLOCK: usize = 1;
    /// JavaScript stores 1 whenever it used the table; the clock's keeper clears it.
    pub const USED: usize = 2;
    /// Changes whenever the process-wide limit does.
    pub const LIMIT: usize = 3;
    /// Another isolate wants the cached chunks back.
    pub const WANTED: usize = 4;
    /// How many records were ever opened, counted over all parts in order; only grows.
    pub const RECORDS: usize = 5;
    /// First of eight words in which a native call leaves its results.
    pub const RESULT: usize = 8;
    /// First of sixteen words in which JavaScript leaves a native call's arguments.
    pub const ARGUMENT: usize = 16;
}

/// Words of a record, from its first.
pub mod field {
    /// Odd while live; the single commit point.
    pub const GENERATION: usize = 0;
    /// Pins taken; written by the owning isolate only.
    pub const PINS: usize = 1;
    /// Pins dropped by others; added to atomically.
    pub const DROPPED: usize = 2;
    /// Size in bytes, below 2^31.
    pub const SIZE: usize = 3;
    /// Birth in clock ticks; after a promotion the shared record's slot.
    pub const BORN: usize = 4;
    /// `label:16 | flags:16`.
    pub const FLAGS: usize = 5;
    /// Upper half of the place word.
    pub const SPAN: usize = 6;
    /// Lower half of the place word: offset in bytes.
    pub const OFFSET: usize = 7;
}

/// Flags in the lower half of [`field::FLAGS`].
pub mod flag {
    /// A buffer was handed out by the present owner. Set before the buffer is.
    pub const VIEWED: i32 = 1;
    /// A shared record speaks for this memory now; its slot stands in `BORN`.
    pub const PROMOTED: i32 = 1 << 1;
}

/// One isolate's table. Reused by a later isolate when its own has ended; never freed.
#[derive(Debug)]
pub struct IsolateTable {
    words: &'static [AtomicI32],
    segments: Vec<AtomicUsize>,
}

/// What an isolate record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsolateRow {
    /// Who.
    pub handle: Handle,
    /// The raw fields, as [`field`] numbers them.
    pub fields: [i32; RECORD_WORDS],
}

/// Parts of records beside the header, in a table of about `bytes`.
fn parts_of(bytes: usize) -> usize {
    (bytes / (SEGMENT_SLOTS * RECORD_WORDS * size_of::<AtomicI32>())).saturating_sub(1)
}

impl IsolateTable {
    /// Reserves a table of about `bytes`; `None` when the system refuses. Less than one part of
    /// records (4 MiB) makes a table with a header only: then every allocation is a shared record.
    #[must_use]
    pub fn reserve(bytes: usize) -> Option<Self> {
        let parts = parts_of(bytes);
        let words = words::zeroed_i32(HEADER_WORDS + parts * SEGMENT_SLOTS * RECORD_WORDS)?;
        words[word::LAYOUT].store(LAYOUT, Ordering::Relaxed);
        Some(Self { words, segments: (0..parts).map(|_| AtomicUsize::new(usize::MAX)).collect() })
    }

    /// Whether it is the size that `reserve` would make of `bytes`.
    #[must_use]
    pub fn is_for(&self, bytes: usize) -> bool {
        self.parts() == parts_of(bytes)
    }

    /// How many times 65,536 records it has.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.segments.len()
    }

    /// Tells a part its place in the directory.
    pub(super) fn set_segment(&self, part: usize, index: usize) {
        self.segments[part].store(index, Ordering::Relaxed);
    }

    /// Where a part stands in the directory; `None` while it has no place.
    pub(super) fn segment(&self, part: usize) -> Option<usize> {
        let index = self.segments.get(part)?.load(Ordering::Relaxed);
        (index != usize::MAX).then_some(index)
    }

    /// How many records of a part were ever used; JavaScript's word, so never above the part.
    pub(super) fn used(&self, part: usize) -> usize {
        let records = usize::try_from(self.word(word::RECORDS)).unwrap_or(0);
        records.saturating_sub(part * SEGMENT_SLOTS).min(SEGMENT_SLOTS)
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

    /// The first word of a record of this table.
    fn at(&self, slot: Slot) -> Option<usize> {
        let segment = slot.0 as usize >> SEGMENT_BITS;
        let part = self.segments.iter().position(|index| index.load(Ordering::Relaxed) == segment)?;
        let index = part * SEGMENT_SLOTS + (slot.0 as usize & (SEGMENT_SLOTS - 1));
        Some(HEADER_WORDS + index * RECORD_WORDS)
    }

    fn get(&self, at: usize, field: usize) -> i32 {
        self.words[at + field].load(Ordering::Relaxed)
    }

    /// Opens a free record. Only the owning isolate's thread may call this (or do the same in
    /// JavaScript): the fields first, the generation last.
    ///
    /// # Errors
    /// [`Code::Corrupted`] for a slot that is not in this table or is live; [`Code::Limit`] when
    /// the record is spent.
    pub fn begin(&self, slot: Slot, fields: [i32; RECORD_WORDS]) -> Result<Handle> {
        let at = self.at(slot).ok_or(Error::from(Code::Corrupted))?;
        let generation = Generation(self.get(at, field::GENERATION).cast_unsigned());
        if generation.is_live() {
            return Err(Code::Corrupted.into());
        }
        if generation >= Generation::MAX {
            return Err(Code::Limit.into());
        }
        for (index, value) in fields.iter().enumerate().skip(1) {
            self.words[at + index].store(*value, Ordering::Relaxed);
        }
        let generation = Generation(generation.0 + 1);
        // Release for readers in other threads; pairs with the Acquire fence in `row`.
        self.words[at].store(generation.0.cast_signed(), Ordering::Release);
        let records = ((at - HEADER_WORDS) / RECORD_WORDS + 1) as i32;
        if records > self.word(word::RECORDS) {
            self.set_word(word::RECORDS, records);
        }
        Ok(Handle { slot, generation })
    }

    /// Ends an owner's life of a record. Only the owning isolate's thread: a plain store decides.
    ///
    /// # Errors
    /// [`Code::DoubleFree`]; [`Code::InUse`] while pinned.
    pub fn end(&self, handle: Handle) -> Result<()> {
        let at = self.at(handle.slot).ok_or(Error::from(Code::DoubleFree))?;
        if self.get(at, field::GENERATION).cast_unsigned() != handle.generation.0
            || !handle.generation.is_live()
        {
            return Err(Code::DoubleFree.into());
        }
        let pins = self.pins_at(at);
        if pins != 0 {
            return Err(Error::new(Code::InUse, 0, pins));
        }
        self.words[at].store((handle.generation.0 + 1).cast_signed(), Ordering::Release);
        fence(Ordering::Release);
        Ok(())
    }

    /// Takes a pin. Only the owning isolate's thread.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::InUse`] at 65,535 pins.
    pub fn pin(&self, handle: Handle) -> Result<()> {
        let at = self.live_at(handle)?;
        let pins = self.pins_at(at);
        if pins == super::state::State::PINS_MAX {
            return Err(Error::new(Code::InUse, 1, pins));
        }
        let taken = self.get(at, field::PINS).wrapping_add(1);
        self.words[at + field::PINS].store(taken, Ordering::Relaxed);
        Ok(())
    }

    /// Drops a pin, from any thread.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::Corrupted`] when there is none.
    pub fn unpin(&self, handle: Handle) -> Result<()> {
        let at = self.live_at(handle)?;
        let dropped = &self.words[at + field::DROPPED];
        let mut seen = dropped.load(Ordering::Acquire);
        // Not a plain addition: two threads that drop one last pin must not both succeed.
        while self.get(at, field::PINS) != seen {
            match dropped.compare_exchange_weak(
                seen,
                seen.wrapping_add(1),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
        Err(Code::Corrupted.into())
    }

    /// Marks a live record as spoken for by a shared one. Only the owning isolate's thread, after
    /// the shared record was begun.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`].
    pub fn promote(&self, handle: Handle, shared: Slot) -> Result<()> {
        let at = self.live_at(handle)?;
        let flags = self.get(at, field::FLAGS) | flag::PROMOTED;
        self.words[at + field::FLAGS].store(flags, Ordering::Relaxed);
        // The flag first: a reader that takes this slot for a birth must then see the flag.
        // Pairs with the Acquire loads in `row`, which reads BORN before FLAGS.
        self.words[at + field::BORN].store(shared.0.cast_signed(), Ordering::Release);
        Ok(())
    }

    /// Reads one record as a whole: generation, fields, generation again. `None` when it is free
    /// or changed meanwhile.
    #[must_use]
    pub fn row(&self, part: usize, index: usize) -> Option<IsolateRow> {
        let at = HEADER_WORDS + (part * SEGMENT_SLOTS + index) * RECORD_WORDS;
        let generation = self.words[at].load(Ordering::Acquire);
        if generation & 1 == 0 {
            return None;
        }
        let mut fields = [0; RECORD_WORDS];
        for (field, value) in fields.iter_mut().enumerate() {
            *value = self.words[at + field].load(Ordering::Acquire); // in this order: see `promote`
        }
        fence(Ordering::Acquire); // pairs with the Release fence in `end`
        if self.get(at, field::GENERATION) != generation {
            return None;
        }
        let segment = self.segments[part].load(Ordering::Relaxed);
        let slot = Slot(((segment << SEGMENT_BITS) + index) as u32);
        Some(IsolateRow {
            handle: Handle { slot, generation: Generation(generation.cast_unsigned()) },
            fields,
        })
    }

    fn live_at(&self, handle: Handle) -> Result<usize> {
        let at = self.at(handle.slot).ok_or(Error::from(Code::UseAfterFree))?;
        let live = handle.generation.is_live()
            && self.get(at, field::GENERATION).cast_unsigned() == handle.generation.0;
        if live { Ok(at) } else { Err(Code::UseAfterFree.into()) }
    }

    fn pins_at(&self, at: usize) -> u64 {
        let (taken, dropped) =
            (self.get(at, field::PINS), self.words[at + field::DROPPED].load(Ordering::Acquire));
        u64::from(taken.wrapping_sub(dropped).cast_unsigned())
    }

    /// Where a live record's memory is, as the two halves of the place word.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`].
    pub fn place(&self, handle: Handle) -> Result<u64> {
        let at = self.live_at(handle)?;
        let half = |field| u64::from(self.get(at, field).cast_unsigned());
        Ok((half(field::SPAN) << 32) | half(field::OFFSET))
    }
}
