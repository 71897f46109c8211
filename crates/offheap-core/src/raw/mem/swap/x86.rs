//! Byte swap with byte shuffles (`pshufb`): one kernel for all elements, told apart by the order, and one body for
//! vectors of 32 and of 64 bytes.

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_loadu_si128, _mm_shuffle_epi8, _mm_storeu_si128,
    _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_shuffle_epi8, _mm256_storeu_si256,
    _mm512_broadcast_i32x4, _mm512_loadu_si512, _mm512_shuffle_epi8, _mm512_storeu_si512,
};
use std::ops::Range;

use super::{Element, portable, step_offset};
use crate::raw::processor::has_fast_avx512;

/// From this size on, in bytes, the stores are aligned first. Measured with both ranges 16 bytes off a
/// vector: 4 KiB take 48 ns instead of 82, but 512 bytes 13 instead of 11.
const ALIGN_MIN_BYTES: usize = 1024;

/// The sizes in bytes at which vectors of 64 bytes gain. EPYC Zen 5, in place: 2 KiB 9.8 ns instead of 12.3, 64 KiB 262
/// instead of 373, 1 MiB 6.8 µs instead of 7.3; below it is level, and from 2 MiB on, where memory sets the pace.
const AVX512_BYTES: Range<usize> = 2 << 10..2 << 20;

/// Whether [`swap_avx512`] is the faster one, from the first byte on: both ranges can be aligned, as they always can in
/// place. A vector of 64 bytes that is not aligned lies on two cache lines, and of those of 32 every other one does not:
/// where one of the ranges stays so, those of 64 lost up to 15 % at 2 KiB, and 6 % at 64. (From the last byte on, 4 KiB
/// apart, they gained 37 % in one run and lost 23 in the next.)
#[inline]
pub(super) fn pays_avx512(target: *mut u8, source: *const u8, size_bytes: usize, element: Element) -> bool {
    let apart_bytes = target.addr().wrapping_sub(source.addr());
    AVX512_BYTES.contains(&size_bytes)
        && has_fast_avx512()
        && apart_bytes.is_multiple_of(__m512i::BYTES)
        && target.addr().is_multiple_of(element.bytes())
}

/// A vector of some width. The methods do what the intrinsics of their bodies do; all addresses need no alignment.
trait Vector: Copy {
    const BYTES: usize = size_of::<Self>();

    /// # Safety
    /// - The CPU has the extension, as for all methods.
    unsafe fn broadcast(order: __m128i) -> Self;

    /// # Safety
    /// - `source` is readable for a vector.
    unsafe fn load_shuffled(source: *const u8, order: Self) -> Self;

    /// # Safety
    /// - `target` is writable for a vector.
    unsafe fn store(self, target: *mut u8);

    /// The kernel of half the width, which swaps what is left before and behind whole blocks.
    ///
    /// # Safety
    /// - As for [`swap_blocks`].
    unsafe fn swap_rest<const BACKWARD: bool>(
        target: *mut u8,
        source: *const u8,
        size_bytes: usize,
        element: Element,
    );
}

macro_rules! vectors {
    ($($vector:ty: $broadcast:ident, $load:ident, $shuffle:ident, $store:ident, $rest:ident;)*) => { $(
        impl Vector for $vector {
            #[inline(always)]
            unsafe fn broadcast(order: __m128i) -> Self {
                // SAFETY: - the extension: the caller's promise.
                unsafe { $broadcast(order) }
            }

            #[inline(always)]
            unsafe fn load_shuffled(source: *const u8, order: Self) -> Self {
                // SAFETY: - readable, the extension: the caller's promises. - alignment: an unaligned load.
                unsafe { $shuffle($load(source.cast()), order) }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut u8) {
                // SAFETY: - writable, the extension: the caller's promises. - alignment: an unaligned store.
                unsafe { $store(target.cast(), self) }
            }

            #[inline(always)]
            unsafe fn swap_rest<const BACKWARD: bool>(
                target: *mut u8,
                source: *const u8,
                size_bytes: usize,
                element: Element,
            ) {
                // SAFETY: - the caller's promises are the callee's; CPUs with an extension have the narrower ones.
                unsafe { $rest::<BACKWARD>(target, source, size_bytes, element) }
            }
        }
    )* };
}
vectors! {
    __m256i: _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_shuffle_epi8, _mm256_storeu_si256, swap_ssse3;
    __m512i: _mm512_broadcast_i32x4, _mm512_loadu_si512, _mm512_shuffle_epi8, _mm512_storeu_si512, swap_avx2;
}

/// Copies `size_bytes` with the bytes of each element reversed.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`, a multiple of the element.
/// - Where the ranges overlap: `BACKWARD` if `target` is above `source`, not `BACKWARD` if below.
/// - The CPU has AVX-512 F and BW, and so AVX2.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn swap_avx512<const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
) {
    // SAFETY: the caller's promises are the callee's.
    unsafe { swap_blocks::<__m512i, BACKWARD>(target, source, size_bytes, element) }
}

/// Copies `size_bytes` with the bytes of each element reversed.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`, a multiple of the element.
/// - Where the ranges overlap: `BACKWARD` if `target` is above `source`, not `BACKWARD` if below.
/// - The CPU has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn swap_avx2<const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
) {
    // SAFETY: the caller's promises are the callee's.
    unsafe { swap_blocks::<__m256i, BACKWARD>(target, source, size_bytes, element) }
}

/// The body of both: steps of four loads, four shuffles, four stores.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`, a multiple of the element.
/// - Where the ranges overlap: `BACKWARD` if `target` is above `source`, not `BACKWARD` if below.
/// - The CPU has the extension of these vectors.
#[inline(always)]
unsafe fn swap_blocks<V: Vector, const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
) {
    let block_bytes = 4 * V::BYTES;
    let order = element.reversed_order();
    let mut done = unaligned_bytes::<BACKWARD>(target, size_bytes, element, V::BYTES);
    // SAFETY: - in range: `done` is below a vector at first and below the size; the loop condition leaves a
    //   whole block; `order` is 16 bytes long.
    // - overlap: a step loads all it reads before it stores, and the direction keeps its stores off
    //   what later steps load.
    // - first step and rest: whole elements, as blocks and size are.
    // - the extension: the caller's promise; every x86_64 has 16-byte loads.
    unsafe {
        if done > 0 {
            let at = step_offset::<BACKWARD>(size_bytes, 0, done);
            V::swap_rest::<BACKWARD>(target.add(at), source.add(at), done, element);
        }
        let order = V::broadcast(_mm_loadu_si128(order.as_ptr().cast()));
        while size_bytes - done >= block_bytes {
            let at = step_offset::<BACKWARD>(size_bytes, done, block_bytes);
            let (from, to) = (source.add(at), target.add(at));
            let load = |index: usize| V::load_shuffled(from.add(index * V::BYTES), order);
            let block = [load(0), load(1), load(2), load(3)];
            block[0].store(to);
            block[1].store(to.add(V::BYTES));
            block[2].store(to.add(2 * V::BYTES));
            block[3].store(to.add(3 * V::BYTES));
            done += block_bytes;
        }
        let rest = if BACKWARD { 0 } else { done };
        V::swap_rest::<BACKWARD>(target.add(rest), source.add(rest), size_bytes - done, element);
    }
}

/// How many bytes to do first so that the stores behind them are aligned; 0 where that cannot be (it
/// would split an element) or does not pay.
#[inline]
fn unaligned_bytes<const BACKWARD: bool>(
    target: *mut u8,
    size_bytes: usize,
    element: Element,
    vector_bytes: usize,
) -> usize {
    let address = target.addr();
    let first =
        if BACKWARD { address.wrapping_add(size_bytes) } else { address.wrapping_neg() } % vector_bytes;
    if size_bytes >= ALIGN_MIN_BYTES && first.is_multiple_of(element.bytes()) { first } else { 0 }
}

/// Copies `size_bytes` with the bytes of each element reversed.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`, a multiple of the element.
/// - Where the ranges overlap: `BACKWARD` if `target` is above `source`, not `BACKWARD` if below.
/// - The CPU has SSSE3.
#[target_feature(enable = "ssse3")]
pub(super) unsafe fn swap_ssse3<const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
) {
    const STEP_BYTES: usize = 16;
    let order = element.reversed_order();
    let mut done = 0;
    // SAFETY: - in range: the loop condition leaves a whole step; `order` is 16 bytes long.
    // - alignment: unaligned loads and stores. - overlap: as in `swap_blocks`.
    // - the rest: whole elements, as steps and size are.
    unsafe {
        let order = _mm_loadu_si128(order.as_ptr().cast());
        while size_bytes - done >= STEP_BYTES {
            let at = step_offset::<BACKWARD>(size_bytes, done, STEP_BYTES);
            let vector = _mm_shuffle_epi8(_mm_loadu_si128(source.add(at).cast()), order);
            _mm_storeu_si128(target.add(at).cast(), vector);
            done += STEP_BYTES;
        }
        if done == size_bytes {
            return;
        }
        let rest = if BACKWARD { 0 } else { done };
        portable::swap::<BACKWARD>(target.add(rest), source.add(rest), size_bytes - done, element);
    }
}
