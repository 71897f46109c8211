//! First mismatch with AVX2 and AVX-512: one body for vectors of 32 and of 64 bytes. CPUs without them take the portable
//! loop, which SSE2 vectorises well.

use std::arch::x86_64::{
    __m256i, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm512_loadu_si512, _mm512_or_si512, _mm512_test_epi8_mask, _mm512_xor_si512,
};
use std::ops::Range;

use super::super::pages::{PAGE_BYTES, ROUND_BYTES, WAYS};
use super::portable;

/// So many bytes of both are compared before it is looked whether any differ. EPYC Zen 5, 64 KiB with AVX2: 546 ns, with
/// half as many 568.
const BLOCK_BYTES: usize = 256;

/// The sizes in bytes at which vectors of 64 bytes gain, wherever the two ranges lie. EPYC Zen 5: 1 KiB 5.7 ns instead
/// of 9.4, 4 KiB 17 instead of 32, 64 KiB 505 instead of 580, 4 MiB 78 µs instead of 85; 8 MiB are level.
pub(super) const AVX512_BYTES: Range<usize> = 1 << 10..8 << 20;

/// Of these the sizes in bytes of two ranges that the first cache does not hold and the second one does: there vectors of
/// 32 bytes gain on AMD's. EPYC Zen 5 (48 KiB and 1 MiB), medians over 14 places: 24 KiB 185 ns instead of 92, but 32 KiB
/// 269 instead of 312, 64 KiB 540 instead of 657, 128 KiB 1,051 instead of 1,228, 192 KiB 1,570 instead of 1,603; 256 KiB
/// 2,077 instead of 1,979.
pub(super) const SECOND_CACHE_BYTES: Range<usize> = 28 << 10..224 << 10;

/// Of these the sizes in bytes of two ranges that only the third cache holds: there AMD's gain when lines are asked for
/// [`AHEAD_BYTES`] before their turn. EPYC Zen 5: 512 KiB 6.8 µs instead of 6.1, but 768 KiB 11.7 instead of 12.2, 1 MiB
/// 15.5 instead of 17.8, 4 MiB 63 instead of 66; 16 MiB 542 instead of 397.
pub(super) const THIRD_CACHE_BYTES: Range<usize> = 704 << 10..8 << 20;

/// 512, 1,024 and 4,096 are the same.
const AHEAD_BYTES: usize = 512;
const LINE_BYTES: usize = 64;

/// Two vectors, compared byte by byte, in the form that is cheapest for their width.
trait Compared: Copy {
    const BYTES: usize = size_of::<Self>();

    /// # Safety
    /// - `one` and `other` are readable for a vector, aligned or not.
    /// - The CPU has the extension, as for all methods.
    unsafe fn at(one: *const u8, other: *const u8) -> Self;

    /// Equal where both are.
    ///
    /// # Safety
    /// - The CPU has the extension.
    unsafe fn and(self, other: Self) -> Self;

    /// The index of the first byte that is not equal.
    ///
    /// # Safety
    /// - The CPU has the extension.
    unsafe fn first_unequal(self) -> Option<usize>;
}

/// 0xFF for each equal byte, else 0.
impl Compared for __m256i {
    #[inline(always)]
    unsafe fn at(one: *const u8, other: *const u8) -> Self {
        // SAFETY: - in range, AVX2: the caller's promises. - alignment: unaligned loads.
        unsafe { _mm256_cmpeq_epi8(_mm256_loadu_si256(one.cast()), _mm256_loadu_si256(other.cast())) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: - AVX2: the caller's promise.
        unsafe { _mm256_and_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn first_unequal(self) -> Option<usize> {
        // SAFETY: - AVX2: the caller's promise.
        let equal = unsafe { _mm256_movemask_epi8(self) }.cast_unsigned();
        (equal != u32::MAX).then(|| equal.trailing_ones() as usize)
    }
}

/// 0 for each equal byte, else more. With masks of 64 bits for each vector 4 KiB took 21 ns, so 17.
impl Compared for __m512i {
    #[inline(always)]
    unsafe fn at(one: *const u8, other: *const u8) -> Self {
        // SAFETY: - in range, AVX-512F: the caller's promises. - alignment: unaligned loads.
        unsafe { _mm512_xor_si512(_mm512_loadu_si512(one.cast()), _mm512_loadu_si512(other.cast())) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: - AVX-512F: the caller's promise.
        unsafe { _mm512_or_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn first_unequal(self) -> Option<usize> {
        // SAFETY: - AVX-512BW: the caller's promise.
        let unequal = unsafe { _mm512_test_epi8_mask(self, self) };
        (unequal != 0).then(|| unequal.trailing_zeros() as usize)
    }
}

/// The index of the first byte in which `size_bytes` at `one` and `other` differ. `SIDE_BY_SIDE`: how large ranges
/// are walked, see [`pages`](super::super::pages).
///
/// # Safety
/// - `one` and `other` are readable for `size_bytes`.
/// - The CPU has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn mismatch_avx2<const SIDE_BY_SIDE: bool>(
    one: *const u8,
    other: *const u8,
    size_bytes: usize,
) -> Option<usize> {
    // SAFETY: the caller's promises are the callee's.
    unsafe { mismatch::<__m256i, SIDE_BY_SIDE, false>(one, other, size_bytes) }
}

/// As [`mismatch_avx2`]. `AHEAD`: lines are asked for before their turn.
///
/// # Safety
/// - `one` and `other` are readable for `size_bytes`.
/// - The CPU has AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn mismatch_avx512<const SIDE_BY_SIDE: bool, const AHEAD: bool>(
    one: *const u8,
    other: *const u8,
    size_bytes: usize,
) -> Option<usize> {
    // SAFETY: the caller's promises are the callee's.
    unsafe { mismatch::<__m512i, SIDE_BY_SIDE, AHEAD>(one, other, size_bytes) }
}

/// # Safety
/// - `one` and `other` are readable for `size_bytes`.
/// - The CPU has the extension of these vectors.
#[inline(always)]
unsafe fn mismatch<C: Compared, const SIDE_BY_SIDE: bool, const AHEAD: bool>(
    one: *const u8,
    other: *const u8,
    size_bytes: usize,
) -> Option<usize> {
    // SAFETY: - in range: a vector is there before the first is looked at; `at` is at most a vector at
    //   first; the loop condition leaves a whole round; `mismatch_between` stays below `size_bytes`.
    // - the extension: the caller's promise.
    unsafe {
        if size_bytes < C::BYTES {
            return portable::mismatch(one, other, size_bytes);
        }
        if let Some(byte) = C::at(one, other).first_unequal() {
            return Some(byte);
        }
        // On from the next aligned vector of `one`. With both 16 bytes off one of 32, 4 KiB take 55 ns, not 76.
        let mut at = C::BYTES - one.addr() % C::BYTES;
        while SIDE_BY_SIDE && size_bytes - at >= ROUND_BYTES {
            let end = at + ROUND_BYTES;
            if !round_is_equal::<C>(one.add(at), other.add(at)) {
                // None: another thread made them equal meanwhile. Go on.
                if let Some(index) = mismatch_between::<C, false>(one, other, at, end) {
                    return Some(index);
                }
            }
            at = end;
        }
        mismatch_between::<C, AHEAD>(one, other, at, size_bytes)
    }
}

/// Whether [`ROUND_BYTES`] at both are equal; walks the pages side by side, so it cannot tell where not.
///
/// # Safety
/// - `one` and `other` are readable for `ROUND_BYTES`.
/// - The CPU has the extension of these vectors.
#[inline(always)]
unsafe fn round_is_equal<C: Compared>(one: *const u8, other: *const u8) -> bool {
    let mut offset = 0;
    while offset < PAGE_BYTES {
        // SAFETY: - in range: a block inside page `way` of the round. - the extension: the caller's promise.
        unsafe {
            let mut all = block::<C>(one.add(offset), other.add(offset));
            for way in 1..WAYS {
                let at = way * PAGE_BYTES + offset;
                all = all.and(block::<C>(one.add(at), other.add(at)));
            }
            if all.first_unequal().is_some() {
                return false;
            }
        }
        offset += BLOCK_BYTES;
    }
    true
}

/// The first mismatch before `end`, from the first byte to the last in order, when those before `start`
/// are known to be equal.
///
/// # Safety
/// - `one` and `other` are readable for `end` bytes; `end` is at least a vector, `start` at most `end`.
/// - The CPU has the extension of these vectors.
#[inline(always)]
unsafe fn mismatch_between<C: Compared, const AHEAD: bool>(
    one: *const u8,
    other: *const u8,
    start: usize,
    end: usize,
) -> Option<usize> {
    let mut at = start;
    // SAFETY: - in range: every loop condition leaves the bytes that its turn reads; the last vector
    //   begins `C::BYTES` before the end and `end` is at least as much.
    // - the extension: the caller's promise.
    unsafe {
        while end - at >= BLOCK_BYTES {
            if AHEAD {
                ask_for_block(one.wrapping_add(at + AHEAD_BYTES));
                ask_for_block(other.wrapping_add(at + AHEAD_BYTES));
            }
            if block::<C>(one.add(at), other.add(at)).first_unequal().is_some() {
                // In one of these, unless another thread made them equal meanwhile.
                for index in 0..BLOCK_BYTES / C::BYTES {
                    let at = at + index * C::BYTES;
                    if let Some(byte) = C::at(one.add(at), other.add(at)).first_unequal() {
                        return Some(at + byte);
                    }
                }
            }
            at += BLOCK_BYTES;
        }
        while end - at >= C::BYTES {
            if let Some(byte) = C::at(one.add(at), other.add(at)).first_unequal() {
                return Some(at + byte);
            }
            at += C::BYTES;
        }
        if at == end {
            return None;
        }
        // The rest as one vector that overlaps what was found equal.
        let last = end - C::BYTES;
        C::at(one.add(last), other.add(last)).first_unequal().map(|byte| last + byte)
    }
}

/// Asks for the lines of a block, which may lie behind the end of the range.
#[inline(always)]
fn ask_for_block(start: *const u8) {
    for line in 0..BLOCK_BYTES / LINE_BYTES {
        // SAFETY: - any address: a prefetch reads nothing that the program could see, and faults nowhere.
        // - SSE: x86_64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * LINE_BYTES).cast()) };
    }
}

/// A block of vectors as one: equal where all are.
///
/// # Safety
/// - `one` and `other` are readable for a block.
/// - The CPU has the extension of these vectors.
#[inline(always)]
unsafe fn block<C: Compared>(one: *const u8, other: *const u8) -> C {
    // SAFETY: - in range: indices below those of a block. - the extension: the caller's promise.
    unsafe {
        let vector = |index: usize| C::at(one.add(index * C::BYTES), other.add(index * C::BYTES));
        let pair = |index: usize| vector(index).and(vector(index + 1));
        let mut all = pair(0).and(pair(2));
        for index in (4..BLOCK_BYTES / C::BYTES).step_by(2) {
            all = all.and(pair(index));
        }
        all
    }
}
