//! Atomic operations on one word of 4 or 8 bytes. All are sequentially consistent, as JavaScript's Atomics.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering::SeqCst};

use super::Bytes;

/// What to do with a word; all but a load write. Numbers are of the word's width, in its lower bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomicOp {
    /// Leaves it.
    Load,
    /// Puts a number there.
    Exchange(i64),
    /// Adds, and wraps.
    Add(i64),
    /// Keeps the bits that are set in both.
    And(i64),
    /// Sets the bits that are set in either.
    Or(i64),
    /// Keeps the bits in which the two differ.
    Xor(i64),
    /// Puts `value` there if it is `expected`.
    CompareExchange {
        /// What has to be there.
        expected: i64,
        /// What is put there.
        value: i64,
    },
}

macro_rules! apply {
    ($word:expr, $op:expr, $number:ty) => {{
        let word = $word;
        match $op {
            AtomicOp::Load => word.load(SeqCst),
            AtomicOp::Exchange(value) => word.swap(value as $number, SeqCst),
            AtomicOp::Add(value) => word.fetch_add(value as $number, SeqCst),
            AtomicOp::And(value) => word.fetch_and(value as $number, SeqCst),
            AtomicOp::Or(value) => word.fetch_or(value as $number, SeqCst),
            AtomicOp::Xor(value) => word.fetch_xor(value as $number, SeqCst),
            AtomicOp::CompareExchange { expected, value } => {
                let result = word.compare_exchange(expected as $number, value as $number, SeqCst, SeqCst);
                result.unwrap_or_else(|found| found)
            }
        }
    }};
}

/// Does it, and gives the number that was there before, sign-extended. `None` when the range is no aligned
/// word of 4 or 8 bytes.
#[must_use]
pub fn atomic(target: Bytes<'_>, op: AtomicOp) -> Option<i64> {
    if !target.address().is_multiple_of(target.size().max(1)) {
        return None;
    }
    match target.size() {
        4 => {
            // SAFETY: - valid for reads and writes of its 4 bytes while `target` lives: `Bytes` promises it.
            // - aligned to 4: just checked.
            // - no Rust reference to these bytes exists, which `Bytes` promises too; who else writes them
            //   meanwhile, JavaScript or a copy, writes bytes, and the result is then one of the numbers seen.
            let word = unsafe { AtomicI32::from_ptr(target.as_ptr().cast()) };
            Some(i64::from(apply!(word, op, i32)))
        }
        8 => {
            // SAFETY: as above, for 8 bytes.
            let word = unsafe { AtomicI64::from_ptr(target.as_ptr().cast()) };
            Some(apply!(word, op, i64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AtomicOp, Bytes, atomic};

    #[repr(align(8))]
    struct Aligned([u8; 16]);

    fn word(memory: &mut Aligned, offset: usize, size: usize) -> Bytes<'_> {
        Bytes::from_mut(&mut memory.0[offset..offset + size])
    }

    #[test]
    fn each_operation_gives_the_old_number_and_leaves_the_new_one() {
        let mut memory = Aligned([0; 16]);
        let cases = [
            (AtomicOp::Exchange(-2), 0, -2),
            (AtomicOp::Add(5), -2, 3),
            (AtomicOp::And(6), 3, 2),
            (AtomicOp::Or(9), 2, 11),
            (AtomicOp::Xor(3), 11, 8),
            (AtomicOp::CompareExchange { expected: 7, value: 1 }, 8, 8),
            (AtomicOp::CompareExchange { expected: 8, value: -1 }, 8, -1),
            (AtomicOp::Load, -1, -1),
        ];
        for size in [4, 8] {
            memory.0.fill(0);
            for (op, old, new) in cases {
                let target = word(&mut memory, 8, size);
                assert_eq!(
                    (atomic(target, op), atomic(target, AtomicOp::Load)),
                    (Some(old), Some(new)),
                    "{size} {op:?}"
                );
            }
            assert_eq!(memory.0[..8], [0; 8], "no byte beside it changed");
            assert_eq!(memory.0[8 + size..], [0; 8][size..]);
        }
    }

    #[test]
    fn numbers_wrap_at_the_width_of_the_word() {
        let mut memory = Aligned([0; 16]);
        let half = word(&mut memory, 0, 4);
        assert_eq!(atomic(half, AtomicOp::Exchange(i64::from(i32::MAX))), Some(0));
        assert_eq!(atomic(half, AtomicOp::Add(1)), Some(i64::from(i32::MAX)));
        assert_eq!(atomic(half, AtomicOp::Load), Some(i64::from(i32::MIN)));
        let whole = word(&mut memory, 8, 8);
        assert_eq!(atomic(whole, AtomicOp::Exchange(i64::MAX)), Some(0));
        assert_eq!(atomic(whole, AtomicOp::Add(1)), Some(i64::MAX));
        assert_eq!(atomic(whole, AtomicOp::Load), Some(i64::MIN));
    }

    #[test]
    fn what_is_no_aligned_word_is_refused_and_not_touched() {
        let mut memory = Aligned([0; 16]);
        for (offset, size) in [(0, 0), (0, 1), (0, 2), (1, 4), (2, 4), (3, 4), (4, 8), (1, 8), (0, 16)] {
            assert_eq!(
                atomic(word(&mut memory, offset, size), AtomicOp::Exchange(-1)),
                None,
                "{offset} {size}"
            );
        }
        assert_eq!(memory.0, [0; 16]);
    }
}
