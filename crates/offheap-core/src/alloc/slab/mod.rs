//! Slab: size classes up to 16 KiB, spans of 64 KiB that hold slots of one class, one bit a slot.
//! Taking and freeing a slot is lock-free; a lock is held while a span changes its class. Who wants many slots
//! takes all that it wants of a word by one exchange.

mod claim;
mod spans;
#[cfg(test)]
mod tests;

use super::chunks::classes;
use super::strategy::{Grant, Strategy, Usage, Verdict, full, never_fits, no_memory, not_granted};
use crate::base::error::Result;
use crate::base::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock};
use crate::raw::words;
use crate::raw::zeroes::zeroed_atomics;
use claim::{Claim, take_bits};
use spans::Unused;

/// Bits of a span's size: 64 KiB holds four slots of the top class.
pub(super) const SPAN_SHIFT: u32 = 16;
/// A span's size in bytes.
pub(super) const SPAN_BYTES: u64 = 1 << SPAN_SHIFT;
/// The largest slot in bytes.
pub(super) const SLOT_MAX: u64 = 16 << 10;
/// Words of bits that a span has room for: one bit for each 16 bytes.
const SPAN_WORDS: usize = SPAN_BYTES as usize / 16 / 64;
/// Classes up to [`SLOT_MAX`].
pub(super) const CLASS_COUNT: usize = 36;

/// What a class is, computed once.
#[derive(Debug, Clone, Copy)]
struct Figures {
    size: u32,
    slots: u32,      // in a whole span
    reciprocal: u64, // 2^32 / size, rounded up: exact for all offsets in a span, since 2^16 · size < 2^32
}

const FIGURES: [Figures; CLASS_COUNT] = {
    let mut figures = [Figures { size: 0, slots: 0, reciprocal: 0 }; CLASS_COUNT];
    let mut class = 0;
    while class < CLASS_COUNT {
        let size = classes::size_of(class as u8);
        let slots = (SPAN_BYTES / size) as u32;
        figures[class] = Figures { size: size as u32, slots, reciprocal: (1_u64 << 32).div_ceil(size) };
        class += 1;
    }
    figures
};

/// The strategy.
#[derive(Debug)]
pub struct Slab {
    total: u64,
    alignment: u64,
    largest: u64,                // the largest request, bytes
    kinds: Box<[AtomicU32]>,     // per span: its class + 1, or 0 while it has none
    taken: &'static [AtomicU64], // a bit for each slot of each span
    room: &'static [AtomicU64],  // per class, a bit for each span that may have a free slot: a hint
    room_words: usize,           // words of `room` for one class
    current: Box<[AtomicU64]>,   // per class: (span + 1) << 8 | word, where a slot was found or freed last
    owns_spans: bool,            // else they are lent
    unused: Mutex<Unused>,       // spans without a class; held while a span changes its class
}

impl Slab {
    /// A slab over `[0, total)`.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfRange`] for an alignment that no slot has, or that does not
    /// fit; [`crate::base::error::Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        let slab = Self { owns_spans: true, ..Self::without_spans(total, alignment)? };
        lock(&slab.unused).fresh_end = slab.kinds.len() as u32;
        Ok(slab)
    }

    /// A slab whose spans have to be lent to it.
    pub(super) fn without_spans(total: u64, alignment: u64) -> Result<Self> {
        let most = total.min(SLOT_MAX);
        let fits =
            |class: &u8| classes::size_of(*class) <= most && classes::alignment_of(*class) >= alignment;
        let largest = (0..CLASS_COUNT as u8).rev().find(fits).map(classes::size_of);
        let largest = largest.ok_or_else(|| never_fits(alignment.max(1), most))?;
        let spans = total.div_ceil(SPAN_BYTES) as usize;
        let room_words = spans.div_ceil(64);
        let bits = spans * SPAN_WORDS;
        let count = bits + CLASS_COUNT * room_words;
        let refused = || no_memory(8 * count as u64);
        let kinds = zeroed_atomics(spans).ok_or_else(refused)?;
        let unused = Mutex::new(Unused::with_room(spans).ok_or_else(refused)?);
        let all = words::zeroed_u64(count).ok_or_else(refused)?; // last: it is never given back
        let (taken, room) = all.split_at(bits);
        Ok(Self {
            total,
            alignment,
            largest,
            kinds,
            taken,
            room,
            room_words,
            current: (0..CLASS_COUNT).map(|_| AtomicU64::new(0)).collect(),
            owns_spans: false,
            unused,
        })
    }

    /// A slot for at most [`Slab::largest`] bytes, if there is one.
    #[inline]
    pub(super) fn try_allocate(&self, size: u64) -> Option<Grant> {
        let class = classes::class_for(size, self.alignment)?;
        match self.take_current(class, 1) {
            Some(claim) => Some(claim.first(class)),
            None => self.take_one_elsewhere(class),
        }
    }

    /// As many slots for at most [`Slab::largest`] bytes as are wanted, or as there are. Returns how many.
    pub(super) fn try_allocate_many(&self, size: u64, count: usize, each: &mut dyn FnMut(Grant)) -> usize {
        let Some(class) = classes::class_for(size, self.alignment) else { return 0 };
        let mut given = 0;
        while given < count {
            let most = (count - given).min(64) as u32;
            let claim = self.take_current(class, most).or_else(|| self.take_elsewhere(class, most));
            let Some(claim) = claim else { break };
            given += claim.bits.count_ones() as usize;
            claim.each(class, each);
        }
        given
    }

    /// Slots of a class, `most` at most, from where one was found or freed last.
    #[inline]
    fn take_current(&self, class: u8, most: u32) -> Option<Claim> {
        let current = self.current.get(usize::from(class))?.load(Ordering::Relaxed);
        let span = (current >> 8).checked_sub(1)? as usize;
        if self.class_of(span) != Some(class) {
            return None;
        }
        self.take(span, class, (current & 0xff) as usize, most)
    }

    /// The largest request, in bytes.
    pub(super) const fn largest(&self) -> u64 {
        self.largest
    }

    /// The class of a span.
    #[inline]
    fn class_of(&self, span: usize) -> Option<u8> {
        // Acquire: pairs with the Release in `open`, so that the span's bits are those of the class.
        let kind = self.kinds.get(span)?.load(Ordering::Acquire);
        kind.checked_sub(1).map(|class| class as u8)
    }

    /// Slots of a class in a span; the last span may be short.
    #[inline]
    fn slots(&self, span: usize, class: u8) -> u64 {
        let start = (span as u64) << SPAN_SHIFT;
        if self.total - start >= SPAN_BYTES {
            return u64::from(FIGURES[usize::from(class)].slots);
        }
        (self.total - start) / classes::size_of(class)
    }

    /// The bits of a span of a class.
    #[inline]
    fn bits(&self, span: usize, class: u8) -> &[AtomicU64] {
        let words = self.slots(span, class).div_ceil(64) as usize;
        &self.taken[span * SPAN_WORDS..][..words]
    }

    /// A span's word when none of its slots is taken: bits past the last slot are always set.
    fn empty_word(&self, span: usize, class: u8, word: usize) -> u64 {
        let slots = self.slots(span, class) - 64 * word as u64;
        if slots >= 64 { 0 } else { !0 << slots }
    }

    #[inline]
    fn room_bit(&self, span: usize, class: u8) -> (&AtomicU64, u64) {
        (&self.room[usize::from(class) * self.room_words + span / 64], 1 << (span % 64))
    }

    /// Takes slots of a class from one word of a span, beginning at a word. `None` when the span is full or has
    /// another class by now.
    #[inline]
    fn take(&self, span: usize, class: u8, from: usize, most: u32) -> Option<Claim> {
        let words = self.bits(span, class);
        for step in 0..words.len() {
            let word = if from + step < words.len() { from + step } else { from + step - words.len() };
            let Some((first, bits)) = take_bits(&words[word], most) else { continue };
            if self.class_of(span) != Some(class) {
                // The span changed hands between our look and our exchange. The bits are ours, whatever
                // slots they stand for now: they go back as they came.
                words[word].fetch_and(!bits, Ordering::Release);
                return None;
            }
            if step > 0 {
                self.current[usize::from(class)].store(place(span, word), Ordering::Relaxed);
            }
            return Some(Claim { span, word, first, bits });
        }
        None
    }

    /// The span where a slot of the class was found last is full: looks at the others, then opens one.
    fn take_elsewhere(&self, class: u8, most: u32) -> Option<Claim> {
        loop {
            if let Some(claim) = self.take_hinted(class, most) {
                return Some(claim);
            }
            match self.open(class) {
                Some(span) => {
                    self.current[usize::from(class)].store(place(span, 0), Ordering::Relaxed);
                    if let Some(claim) = self.take(span, class, 0, most) {
                        return Some(claim);
                    }
                }
                None if !self.owns_spans => return None, // the lender decides when to look at all
                None => return self.take_anywhere(class, most), // hints may be lost in a race: look at all
            }
        }
    }

    #[cold]
    fn take_one_elsewhere(&self, class: u8) -> Option<Grant> {
        self.take_elsewhere(class, 1).map(|claim| claim.first(class))
    }

    fn take_hinted(&self, class: u8, most: u32) -> Option<Claim> {
        for index in 0..self.room_words {
            let hints = &self.room[usize::from(class) * self.room_words + index];
            let mut seen = hints.load(Ordering::Relaxed);
            while seen != 0 {
                let span = 64 * index + seen.trailing_zeros() as usize;
                let bit = seen & seen.wrapping_neg();
                seen &= !bit;
                if self.class_of(span) == Some(class) {
                    self.current[usize::from(class)].store(place(span, 0), Ordering::Relaxed);
                    if let Some(claim) = self.take(span, class, 0, most) {
                        return Some(claim);
                    }
                }
                // Full, or another's. The hint goes first, then a second look: a slot that is freed
                // in between either sets the hint again or is found here.
                hints.fetch_and(!bit, Ordering::AcqRel);
                if self.class_of(span) == Some(class)
                    && let Some(claim) = self.take(span, class, 0, most)
                {
                    hints.fetch_or(bit, Ordering::Relaxed);
                    return Some(claim);
                }
            }
        }
        None
    }

    /// As `try_allocate`, by looking at every span.
    pub(super) fn allocate_anywhere(&self, size: u64) -> Option<Grant> {
        let class = classes::class_for(size, self.alignment)?;
        self.take_anywhere(class, 1).map(|claim| claim.first(class))
    }

    fn take_anywhere(&self, class: u8, most: u32) -> Option<Claim> {
        let mut of_class = (0..self.kinds.len()).filter(|span| self.class_of(*span) == Some(class));
        of_class.find_map(|span| {
            let claim = self.take(span, class, 0, most)?;
            let (hints, bit) = self.room_bit(span, class);
            hints.fetch_or(bit, Ordering::Relaxed);
            Some(claim)
        })
    }

    /// Span, class and number of the slot that starts at an offset.
    #[inline]
    fn slot_at(&self, offset: u64) -> Option<(usize, u8, u64)> {
        let span = usize::try_from(offset >> SPAN_SHIFT).ok()?;
        let class = self.class_of(span)?;
        let (figures, within) = (&FIGURES[usize::from(class)], offset & (SPAN_BYTES - 1));
        let index = (within * figures.reciprocal) >> 32; // the division would cost as much as the exchange
        let starts = index * u64::from(figures.size) == within && index < self.slots(span, class);
        starts.then_some((span, class, index))
    }
}

impl Strategy for Slab {
    #[inline]
    fn allocate(&self, size: u64) -> Result<Grant> {
        if size.wrapping_sub(1) >= self.largest {
            return Err(never_fits(size, self.largest));
        }
        self.try_allocate(size).ok_or_else(|| full(size, self.largest_free()))
    }

    fn allocate_many(&self, size: u64, count: usize, each: &mut dyn FnMut(Grant)) -> usize {
        if size.wrapping_sub(1) >= self.largest {
            return 0;
        }
        self.try_allocate_many(size, count, each)
    }

    #[inline]
    fn free(&self, offset: u64) -> Result<u64> {
        let (span, class, index) = self.slot_at(offset).ok_or_else(not_granted)?;
        let bit = 1 << (index % 64);
        // Release: what the owner wrote happens before what the next owner does; pairs with the
        // Acquire in `take_bits`. Clearing a bit that is clear changes nothing.
        let before = self.bits(span, class)[index as usize / 64].fetch_and(!bit, Ordering::AcqRel);
        if before & bit == 0 {
            return Err(not_granted());
        }
        let (hints, bit) = self.room_bit(span, class);
        if hints.load(Ordering::Relaxed) & bit == 0 {
            hints.fetch_or(bit, Ordering::AcqRel);
        }
        let (current, here) = (&self.current[usize::from(class)], place(span, index as usize / 64));
        if current.load(Ordering::Relaxed) != here {
            current.store(here, Ordering::Relaxed); // the next request finds this slot, still warm, at once
        }
        Ok(classes::size_of(class))
    }

    #[inline]
    fn class_of(&self, size: u64) -> Option<u32> {
        if size.wrapping_sub(1) >= self.largest {
            return None;
        }
        classes::class_for(size, self.alignment).map(u32::from)
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        let (span, class, index) = self.slot_at(offset)?;
        let word = self.bits(span, class)[index as usize / 64].load(Ordering::Acquire);
        (word >> (index % 64) & 1 == 1).then(|| classes::size_of(class))
    }

    fn usage(&self) -> Usage {
        self.usage_of_spans()
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        self.trim_spans(decommit)
    }

    fn check(&self) -> Verdict {
        self.check_spans()
    }
}

const fn place(span: usize, word: usize) -> u64 {
    ((span as u64 + 1) << 8) | word as u64
}
