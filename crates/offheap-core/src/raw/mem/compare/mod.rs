//! Compare and first mismatch.

mod portable;
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
mod x86;

use std::cmp::Ordering;

#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
use super::pages::{ROUND_BYTES, pays_side_by_side};
use super::{Bytes, assert_same_size};
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
use crate::raw::processor::has_fast_avx512;

/// The index of the first byte in which the two ranges differ, or `None` when they are equal.
///
/// # Panics
/// If the sizes differ.
#[must_use]
pub fn mismatch(one: Bytes<'_>, other: Bytes<'_>) -> Option<usize> {
    assert_same_size(one, other);
    mismatch_from(one, other, 0, one.size())
}

/// The order of the first bytes that differ, as unsigned numbers; `Equal` when none do.
///
/// # Panics
/// If the sizes differ.
#[must_use]
pub fn compare(one: Bytes<'_>, other: Bytes<'_>) -> Ordering {
    compare_part(one, other, one.size())
}

/// [`compare`] of a part of ranges of `whole_bytes`, by which it is chosen how.
///
/// # Panics
/// If the sizes differ.
#[must_use]
pub fn compare_part(one: Bytes<'_>, other: Bytes<'_>, whole_bytes: usize) -> Ordering {
    assert_same_size(one, other);
    let mut start = 0;
    while let Some(index) = mismatch_from(one, other, start, whole_bytes) {
        // SAFETY: - in range and readable: `index` is below the size of both.
        let (byte, other_byte) =
            unsafe { (one.as_ptr().add(index).read(), other.as_ptr().add(index).read()) };
        if byte != other_byte {
            return byte.cmp(&other_byte);
        }
        // Another thread made them equal between the two reads: look on behind them.
        start = index + 1;
    }
    Ordering::Equal
}

/// [`mismatch`] at or after `start`, which is at most the size, of a part of `whole_bytes`. The sizes were checked.
fn mismatch_from(one: Bytes<'_>, other: Bytes<'_>, start: usize, whole_bytes: usize) -> Option<usize> {
    let size_bytes = one.size() - start;
    // SAFETY: - in range: `start` is at most the size of both, `size_bytes` the rest.
    // - readable: `Bytes` promises it. - AVX2: detected just before. - AVX-512: as the processor says.
    let found = unsafe {
        let (one, other) = (one.as_ptr().add(start).cast_const(), other.as_ptr().add(start).cast_const());
        #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
        if x86::AVX512_BYTES.contains(&whole_bytes) && has_fast_avx512() {
            if size_bytes < ROUND_BYTES {
                x86::mismatch_avx512::<false, false>(one, other, size_bytes)
            } else if pays_side_by_side() {
                x86::mismatch_avx512::<true, false>(one, other, size_bytes)
            } else if x86::SECOND_CACHE_BYTES.contains(&whole_bytes) {
                x86::mismatch_avx2::<false>(one, other, size_bytes)
            } else if x86::THIRD_CACHE_BYTES.contains(&whole_bytes) {
                x86::mismatch_avx512::<false, true>(one, other, size_bytes)
            } else {
                x86::mismatch_avx512::<false, false>(one, other, size_bytes)
            }
        } else if !is_x86_feature_detected!("avx2") {
            portable::mismatch(one, other, size_bytes)
        } else if size_bytes >= ROUND_BYTES && pays_side_by_side() {
            x86::mismatch_avx2::<true>(one, other, size_bytes)
        } else {
            x86::mismatch_avx2::<false>(one, other, size_bytes)
        }
        #[cfg(not(all(target_arch = "x86_64", not(offheap_portable))))]
        {
            let _ = whole_bytes; // one way for all
            portable::mismatch(one, other, size_bytes)
        }
    };
    found.map(|index| start + index)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Bytes, compare, compare_part, mismatch, portable};
    use crate::raw::mem::pages::{PAGE_BYTES, ROUND_BYTES};

    type Kernel = unsafe fn(*const u8, *const u8, usize) -> Option<usize>;

    /// Every kernel this CPU runs.
    fn kernels() -> Vec<(&'static str, Kernel)> {
        #[allow(unused_mut, reason = "other builds have one kernel")]
        let mut kernels: Vec<(&'static str, Kernel)> = vec![("portable", portable::mismatch)];
        #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
        {
            use super::x86;
            if is_x86_feature_detected!("avx2") {
                kernels.push(("avx2, side by side", x86::mismatch_avx2::<true>));
                kernels.push(("avx2, in order", x86::mismatch_avx2::<false>));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                kernels.push(("avx512, side by side", x86::mismatch_avx512::<true, false>));
                kernels.push(("avx512, in order", x86::mismatch_avx512::<false, false>));
                kernels.push(("avx512, ahead", x86::mismatch_avx512::<false, true>));
            }
        }
        kernels
    }

    #[test]
    fn every_kernel_finds_the_first_of_two_differences_at_every_index_and_size() {
        for (name, kernel) in kernels() {
            for size in (0..300).filter(|size| *size < 70 || size % 16 < 3) {
                // One byte more on both sides, unequal: a kernel that looks there answers wrong.
                let mut one = vec![7; size + 2];
                let mut other = vec![7; size + 2];
                (one[0], one[size + 1]) = (1, 1);
                let pointers = |one: &[u8], other: &[u8]| {
                    // SAFETY: - in range: the room is two bytes larger than the size.
                    unsafe { kernel(one.as_ptr().add(1), other.as_ptr().add(1), size) }
                };
                assert_eq!(pointers(&one, &other), None, "{name}, {size} bytes");
                for index in 0..size {
                    other[size] ^= 0x80;
                    other[index + 1] ^= 1;
                    let expected = (index + 1 != size).then_some(index).or(Some(size - 1));
                    assert_eq!(pointers(&one, &other), expected, "{name}, {size} bytes, at {index}");
                    other[index + 1] ^= 1;
                    other[size] ^= 0x80;
                }
            }
        }
    }

    #[test]
    fn every_kernel_finds_the_first_difference_in_whichever_page_of_a_round_it_is() {
        let size = 2 * ROUND_BYTES + 100;
        for (name, kernel) in kernels() {
            let one = vec![7; size];
            for index in (0..size).step_by(509).chain(size - 3..size) {
                let mut other = one.clone();
                other[index] = 8;
                // A later one that a walk over the pages side by side meets first.
                let later = (index + PAGE_BYTES - 256).min(size - 1);
                other[later] = 9;
                // SAFETY: - in range: both have `size` bytes.
                let found = unsafe { kernel(one.as_ptr(), other.as_ptr(), size) };
                assert_eq!(found, Some(index), "{name}");
            }
        }
    }

    #[test]
    fn a_difference_is_found_whichever_kernel_is_chosen_for_the_size() {
        for size in [1023, 1024, 1300, 16383, 16400, 65_537, 200_000, 720_896, (8 << 20) - 1, 8 << 20] {
            let (mut one, mut other) = (vec![7; size], vec![7; size]);
            for index in [0, size / 2, size - 1] {
                other[index] = 8;
                let found = mismatch(Bytes::from_mut(&mut one), Bytes::from_mut(&mut other));
                assert_eq!(found, Some(index), "{size} bytes");
                other[index] = 7;
            }
            assert_eq!(
                mismatch(Bytes::from_mut(&mut one), Bytes::from_mut(&mut other)),
                None,
                "{size} bytes"
            );
        }
    }

    #[test]
    fn a_part_is_compared_like_a_whole_whatever_the_whole() {
        let (mut one, mut other) = (vec![7; 20_000], vec![7; 20_000]);
        let parts = |one: &mut Vec<u8>, other: &mut Vec<u8>, whole| {
            compare_part(Bytes::from_mut(one), Bytes::from_mut(other), whole)
        };
        for whole in [20_000, 100_000, 1 << 20, 64 << 20] {
            assert_eq!(parts(&mut one, &mut other, whole), Ordering::Equal, "{whole}");
            other[19_999] = 8;
            assert_eq!(parts(&mut one, &mut other, whole), Ordering::Less, "{whole}");
            other[19_999] = 7;
        }
    }

    #[test]
    fn bytes_compare_as_unsigned_numbers() {
        let (mut low, mut high) = ([1, 0x7F, 9], [1, 0x80, 0]);
        let (low, high) = (Bytes::from_mut(&mut low), Bytes::from_mut(&mut high));
        assert_eq!(compare(low, high), Ordering::Less);
        assert_eq!(compare(high, low), Ordering::Greater);
        assert_eq!(compare(low, low), Ordering::Equal);
        assert_eq!(mismatch(low, high), Some(1));
    }

    #[test]
    #[should_panic(expected = "sizes differ: 2 and 3")]
    fn different_sizes_are_the_callers_bug() {
        let _ = compare(Bytes::from_mut(&mut [0; 2]), Bytes::from_mut(&mut [0; 3]));
    }
}
