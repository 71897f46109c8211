//! Slots of one word, as many as are wanted, taken by one exchange.

use super::{FIGURES, SPAN_SHIFT};
use crate::alloc::strategy::Grant;
use crate::base::sync::{AtomicU64, Ordering};

/// Slots that one exchange took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) span: usize,
    pub(super) word: usize,
    pub(super) first: u32,
    pub(super) bits: u64, // the first and what else there is
}

impl Claim {
    #[inline]
    fn grant(self, class: u8, bit: u32) -> Grant {
        let size = u64::from(FIGURES[usize::from(class)].size);
        let index = 64 * self.word as u64 + u64::from(bit);
        Grant { offset: ((self.span as u64) << SPAN_SHIFT) + index * size, size }
    }

    #[inline]
    pub(super) fn first(self, class: u8) -> Grant {
        self.grant(class, self.first)
    }

    pub(super) fn each(self, class: u8, each: &mut dyn FnMut(Grant)) {
        let mut bits = self.bits;
        while bits != 0 {
            each(self.grant(class, bits.trailing_zeros()));
            bits &= bits - 1;
        }
    }
}

/// Sets the lowest clear bits, `most` at most, by one exchange. The number of the first, and all of them; `None` when
/// there are none.
#[inline]
pub(super) fn take_bits(word: &AtomicU64, most: u32) -> Option<(u32, u64)> {
    let mut seen = word.load(Ordering::Relaxed);
    while seen != !0 {
        let first = (!seen).trailing_zeros();
        let bits = if most == 1 { 1 << first } else { lowest(!seen, most) };
        // Acquire: pairs with the Release of the free, or of the opening, that cleared the bits.
        match word.compare_exchange_weak(seen, seen | bits, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return Some((first, bits)),
            Err(now) => seen = now,
        }
    }
    None
}

/// The lowest set bits of a word, `most` at most.
pub(super) fn lowest(word: u64, most: u32) -> u64 {
    let rest = (0..most).fold(word, |rest, _| rest & rest.wrapping_sub(1)); // 0 stays 0
    word & !rest
}
