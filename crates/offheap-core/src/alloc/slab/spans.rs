//! What happens to whole spans: opening, giving up, trimming, counting.

use super::{SPAN_BYTES, SPAN_SHIFT, Slab};
use crate::alloc::chunks::classes;
use crate::alloc::strategy::{Usage, Verdict};
use crate::base::sync::{Ordering, lock};
use crate::raw;

/// Spans without a class.
#[derive(Debug, Default)]
pub(in super::super) struct Unused {
    pub(in super::super) fresh: u32,     // the first that never had one
    pub(in super::super) fresh_end: u32, // past the last
    free: Vec<Free>,
}

impl Unused {
    /// For as many as there are: a span that comes back must find room.
    pub(super) fn with_room(spans: usize) -> Option<Self> {
        let mut unused = Self::default();
        unused.free.try_reserve_exact(spans).ok()?;
        Some(unused)
    }
}

/// A span that had a class once.
#[derive(Debug, Clone, Copy)]
struct Free {
    span: u32,
    cold: bool, // its pages were given back
}

impl Slab {
    /// Gives a span without a class to `class`: one that never had one, a freed one, or one of
    /// another class in which nothing is live. `None` when there is none.
    pub(super) fn open(&self, class: u8) -> Option<usize> {
        let mut unused = lock(&self.unused);
        // While we waited another thread may have opened one for this class.
        let (hints, words) = (usize::from(class) * self.room_words, self.room_words);
        let hinted = self.room[hints..hints + words].iter().enumerate().find_map(|(index, hints)| {
            let bits = hints.load(Ordering::Acquire);
            (bits != 0).then(|| 64 * index + bits.trailing_zeros() as usize)
        });
        if let Some(span) = hinted.filter(|span| self.class_of(*span) == Some(class)) {
            return Some(span);
        }
        let span = self.unused_for(class, &mut unused).or_else(|| {
            if !self.owns_spans {
                return None; // the lender decides when to look at all spans
            }
            self.gather(&mut unused, |span| self.class_of(span) != Some(class));
            self.unused_for(class, &mut unused)
        })?;
        for (word, bits) in self.bits(span, class).iter().enumerate() {
            bits.store(self.empty_word(span, class, word), Ordering::Release);
        }
        // Release: whoever sees the class sees the bits; pairs with the Acquire in `class_of`.
        self.kinds[span].store(u32::from(class) + 1, Ordering::Release);
        let (hints, bit) = self.room_bit(span, class);
        hints.fetch_or(bit, Ordering::Release);
        Some(span)
    }

    /// Takes a span without a class that holds a slot of `class`.
    fn unused_for(&self, class: u8, unused: &mut Unused) -> Option<usize> {
        let fits = |span: u32| self.slots(span as usize, class) > 0;
        if let Some(index) = unused.free.iter().rposition(|free| fits(free.span)) {
            return Some(unused.free.swap_remove(index).span as usize);
        }
        let fresh = unused.fresh;
        (fresh < unused.fresh_end && fits(fresh)).then(|| {
            unused.fresh += 1;
            fresh as usize
        })
    }

    /// Takes the class from spans in which nothing is live, as long as `from` allows it.
    fn gather(&self, unused: &mut Unused, from: impl Fn(usize) -> bool) {
        for span in (0..self.kinds.len()).filter(|span| from(*span)) {
            if self.close(span) {
                unused.free.push(Free { span: span as u32, cold: false });
            }
        }
    }

    /// Takes the class from a span in which nothing is live. The caller holds the lock.
    fn close(&self, span: usize) -> bool {
        let Some(class) = self.class_of(span) else { return false };
        if !self.claim(span, class) {
            return false;
        }
        self.kinds[span].store(0, Ordering::Release);
        let (hints, bit) = self.room_bit(span, class);
        hints.fetch_and(!bit, Ordering::Relaxed);
        true
    }

    /// Takes every slot of an empty span, or none: several words, one exchange each, and a failure
    /// undoes those before it.
    pub(super) fn claim(&self, span: usize, class: u8) -> bool {
        let bits = self.bits(span, class);
        for (word, bits_here) in bits.iter().enumerate() {
            let empty = self.empty_word(span, class, word);
            if bits_here.compare_exchange(empty, !0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                for (undone, bits) in bits[..word].iter().enumerate() {
                    bits.store(self.empty_word(span, class, undone), Ordering::Release);
                }
                return false;
            }
        }
        true
    }

    /// Lends a span to a slab that has none of its own.
    pub(in super::super) fn lend(&self, span: u32) {
        lock(&self.unused).free.push(Free { span, cold: false });
    }

    /// Gives every lent span back in which nothing is live.
    pub(in super::super) fn give_back(&self, each: impl FnMut(u32)) {
        let mut unused = lock(&self.unused);
        self.gather(&mut unused, |_| true);
        unused.free.drain(..).map(|free| free.span).for_each(each);
    }

    /// Whether a span belongs to the slab now.
    pub(in super::super) fn has_span(&self, offset: u64) -> bool {
        self.class_of((offset >> SPAN_SHIFT) as usize).is_some()
    }

    /// Spans that have a class.
    pub(in super::super) fn spans(&self) -> impl Iterator<Item = u32> {
        (0..self.kinds.len() as u32).filter(|span| self.class_of(*span as usize).is_some())
    }

    /// Bytes of a span; the last may be short.
    fn span_bytes(&self, span: u32) -> u64 {
        (self.total - (u64::from(span) << SPAN_SHIFT)).min(SPAN_BYTES)
    }

    pub(super) fn largest_free(&self) -> u64 {
        self.usage_of_spans().largest_free
    }

    pub(super) fn usage_of_spans(&self) -> Usage {
        let mut unused = lock(&self.unused);
        self.gather(&mut unused, |_| true);
        let mut usage = Usage { held: 0, free: self.total, ..Usage::default() };
        let loose = unused.free.iter().map(|free| free.span).chain(unused.fresh..unused.fresh_end);
        for span in loose {
            usage.free_blocks += 1;
            usage.largest_free = usage.largest_free.max(self.largest_slot(self.span_bytes(span)));
        }
        for span in 0..self.kinds.len() {
            let Some(class) = self.class_of(span) else { continue };
            let (size, slots) = (classes::size_of(class), self.slots(span, class));
            let live = self.live(span, class);
            usage.held += live * size;
            usage.blocks += live;
            usage.free_blocks += slots - live;
            usage.scattered += self.span_bytes(span as u32) - live * size; // serves this class at best
            if live < slots {
                usage.largest_free = usage.largest_free.max(size);
            }
        }
        usage.free -= usage.held;
        usage
    }

    fn live(&self, span: usize, class: u8) -> u64 {
        let bits = self.bits(span, class).iter();
        let set: u32 = bits.map(|word| word.load(Ordering::Relaxed).count_ones()).sum();
        let past = (64 - self.slots(span, class) % 64) % 64;
        u64::from(set).saturating_sub(past)
    }

    /// The largest slot that an unused span of so many bytes can give.
    fn largest_slot(&self, bytes: u64) -> u64 {
        let fits = |class: &u8| {
            classes::size_of(*class) <= bytes.min(self.largest)
                && classes::alignment_of(*class) >= self.alignment
        };
        (0..super::CLASS_COUNT as u8).rev().find(fits).map_or(0, classes::size_of)
    }

    pub(super) fn trim_spans(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let page = raw::page_size() as u64;
        let mut unused = lock(&self.unused);
        self.gather(&mut unused, |_| true);
        let mut given = 0;
        for index in 0..unused.free.len() {
            let Free { span, cold } = unused.free[index];
            // Whole pages: the region is page-rounded, so the rest of a short span's last page is ours.
            let size = self.span_bytes(span).next_multiple_of(page);
            if !cold {
                given += decommit(u64::from(span) << SPAN_SHIFT, size);
                unused.free[index].cold = true;
            }
        }
        given
    }

    pub(super) fn check_spans(&self) -> Verdict {
        let unused = lock(&self.unused);
        let mut loose = vec![false; self.kinds.len()];
        for span in unused.free.iter().map(|free| free.span as usize) {
            if std::mem::replace(&mut loose[span], true) || self.class_of(span).is_some() {
                return Err(format!("span {span} is unused twice, or unused and of a class"));
            }
        }
        for span in 0..self.kinds.len() {
            let fresh = (unused.fresh..unused.fresh_end).contains(&(span as u32));
            let Some(class) = self.class_of(span) else { continue };
            if fresh || usize::from(class) >= super::CLASS_COUNT {
                return Err(format!("span {span} has class {class} and cannot"));
            }
            for (word, bits) in self.bits(span, class).iter().enumerate() {
                let past = self.empty_word(span, class, word);
                if bits.load(Ordering::Relaxed) & past != past {
                    return Err(format!("span {span} offers slots past its end in word {word}"));
                }
            }
            let (hints, bit) = self.room_bit(span, class);
            if self.live(span, class) < self.slots(span, class) && hints.load(Ordering::Relaxed) & bit == 0 {
                let current = self.current[usize::from(class)].load(Ordering::Relaxed) >> 8;
                if current != span as u64 + 1 {
                    return Err(format!("span {span} has room that no hint tells of"));
                }
            }
        }
        Ok(())
    }
}
