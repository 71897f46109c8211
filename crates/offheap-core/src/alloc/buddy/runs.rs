//! Aligned runs of clear bits in one word: what free blocks of the small orders are.

use super::PAGE_ORDER;
use crate::base::sync::{AtomicU64, Ordering};

/// The lowest bits of a block of an order, up to a page's.
pub(super) const fn run(order: u32) -> u64 {
    if order >= PAGE_ORDER { !0 } else { (1 << (1 << order)) - 1 }
}

/// The first bit of every aligned free run of an order.
#[inline]
pub(super) const fn free_runs(word: u64, order: u32) -> u64 {
    const ALIGNED: [u64; 7] = [
        !0,
        0x5555_5555_5555_5555,
        0x1111_1111_1111_1111,
        0x0101_0101_0101_0101,
        0x0001_0001_0001_0001,
        0x0000_0001_0000_0001,
        1,
    ];
    let (mut free, mut step) = (!word, 0);
    while step < order {
        free &= free >> (1 << step);
        step += 1;
    }
    free & ALIGNED[order as usize]
}

/// Sets the lowest aligned free run of an order; `None` when there is none.
#[inline]
pub(super) fn take_run(word: &AtomicU64, order: u32) -> Option<u32> {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let runs = free_runs(seen, order);
        if runs == 0 {
            return None;
        }
        let bit = runs.trailing_zeros();
        // Acquire: pairs with the Release of the free that cleared the bits.
        match word.compare_exchange_weak(seen, seen | run(order) << bit, Ordering::AcqRel, Ordering::Relaxed)
        {
            Ok(_) => return Some(bit),
            Err(now) => seen = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AtomicU64, Ordering, free_runs, run, take_run};

    #[test]
    fn a_free_run_is_aligned_and_wholly_clear() {
        let mut word = 0x0123_4567_89ab_cdef_u64;
        for _ in 0..500 {
            word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(word >> 7);
            for order in 0..=6 {
                let sparse = word & word.rotate_left(13) & word.rotate_left(29);
                let expected = (0..64).step_by(1 << order).filter(|bit| sparse & (run(order) << bit) == 0);
                assert_eq!(free_runs(sparse, order), expected.fold(0, |runs, bit| runs | 1 << bit));
            }
        }
    }

    #[test]
    fn a_taken_run_is_the_lowest_and_a_full_word_gives_none() {
        let word = AtomicU64::new(0b0001_0110);
        assert_eq!(take_run(&word, 1), Some(6));
        assert_eq!(take_run(&word, 0), Some(0));
        assert_eq!(take_run(&word, 6), None);
        assert_eq!(word.load(Ordering::Relaxed), 0b1101_0111);
        assert_eq!(take_run(&AtomicU64::new(!0), 0), None);
        assert_eq!(take_run(&AtomicU64::new(0), 6), Some(0));
    }
}
