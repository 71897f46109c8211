//! Size classes: 16, 32, 48, 64, then four per doubling up to 2^47. At most 20 % is lost above
//! 64 bytes (jemalloc's spacing, `SC_LG_NGROUP` 2).

use crate::raw;

/// How many classes there are.
pub const COUNT: usize = 168;
/// The largest chunk that is cut from a span; above it a chunk is a run of pages.
pub const SMALL_MAX: u64 = 32 << 10;
/// The largest size that has a class: all that 48-bit addresses allow in user space.
pub const SIZE_MAX: u64 = 1 << 47;

/// The size of a class's chunks, in bytes.
#[must_use]
pub const fn size_of(class: u8) -> u64 {
    if class < 4 {
        return (class as u64 + 1) * 16;
    }
    let (doubling, step) = ((class as u32 - 4) / 4, (class as u64 - 4) % 4);
    (5 + step) << (4 + doubling)
}

/// The smallest class whose chunks hold `size` bytes.
const fn smallest(size: u64) -> u8 {
    if size <= 64 {
        return (size.saturating_sub(1) / 16) as u8;
    }
    let shift = (size - 1).ilog2();
    (4 + 4 * (shift - 6) + (((size - 1) >> (shift - 2)) & 3) as u32) as u8
}

/// The alignment that every chunk of a class has, in bytes: the largest power of two that divides
/// its size, and 2^30 at most.
#[must_use]
pub const fn alignment_of(class: u8) -> u64 {
    let natural = 1 << size_of(class).trailing_zeros();
    if natural > 1 << 30 { 1 << 30 } else { natural }
}

/// Whether chunks of a class are page runs.
#[must_use]
pub const fn is_run(class: u8) -> bool {
    class > SMALL_LAST
}

/// The last class that is cut from spans.
const SMALL_LAST: u8 = smallest(SMALL_MAX);

/// The smallest class that holds `size` bytes at a multiple of `alignment`; `None` when no class
/// does. Runs are also page multiples, whatever the page is.
#[must_use]
#[inline]
pub fn class_for(size: u64, alignment: u64) -> Option<u8> {
    if size.wrapping_sub(1) < SMALL_MAX && alignment <= 16 {
        return Some(smallest(size)); // every class has 16
    }
    if size > SIZE_MAX || size == 0 {
        return None;
    }
    let mut class = smallest(size.max(alignment));
    let page = raw::page_size() as u64;
    loop {
        if usize::from(class) >= COUNT {
            return None;
        }
        let needed = if is_run(class) { alignment.max(page) } else { alignment };
        if alignment_of(class) >= needed.min(1 << 30) {
            return Some(class);
        }
        class += 1; // at most three steps to a power of two
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_grow_and_each_size_finds_the_smallest_that_holds_it() {
        assert_eq!(size_of((COUNT - 1) as u8), SIZE_MAX);
        for class in 1..COUNT as u8 {
            let (below, size) = (size_of(class - 1), size_of(class));
            assert!(below < size);
            assert_eq!(smallest(size), class);
            assert_eq!(smallest(below + 1), class);
        }
    }

    #[test]
    fn no_class_above_64_bytes_loses_more_than_a_fifth() {
        for class in 4..COUNT as u8 {
            let worst = size_of(class - 1) + 1;
            assert!((size_of(class) - worst) * 5 <= size_of(class), "class {class}");
        }
    }

    #[test]
    fn a_class_for_an_alignment_has_that_alignment() {
        for log2 in 0..=30 {
            for size in [1, 15, 100, 4096, 5000, 100_000, 3 << 20] {
                let class = class_for(size, 1 << log2).unwrap();
                assert!(size_of(class) >= size);
                assert!(alignment_of(class) >= 1 << log2, "size {size}, alignment 2^{log2}");
            }
        }
    }

    #[test]
    fn what_no_address_can_hold_has_no_class() {
        assert_eq!(class_for(0, 1), None);
        assert_eq!(class_for(SIZE_MAX + 1, 1), None);
        assert_eq!(class_for((1 << 53) - 1, 1), None);
        assert!(class_for(SIZE_MAX, 1 << 30).is_some());
    }
}
