//! Streaming kernels for x86_64.
//!
//! What counts is that a 64-byte line is written whole. Where pages are walked side by side, 16-byte stores, which
//! every x86_64 has, are as fast as wider ones (Xeon, 64 MiB: 10.2 GB/s, and 10.2 with AVX2). In order wider ones are
//! faster (EPYC Zen 5, 64 MiB: 23 GB/s, and 26 with AVX2).

use std::arch::x86_64::{
    __m128i, _mm_loadu_si128, _mm_setzero_si128, _mm_sfence, _mm_shuffle_epi8, _mm_stream_si128,
    _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_stream_si256,
};
use std::ptr;

use super::super::fill::{Pattern, fill_blocks};
use super::super::pages::{PAGE_BYTES, ROUND_BYTES, WAYS, pays_side_by_side};
use super::super::swap::{Element, portable};

/// A cache line of every x86_64: the unit in which streaming stores leave the CPU.
const LINE_BYTES: usize = 64;

/// The bytes before the first line boundary at or after `target`, at most `size_bytes`.
fn head_bytes(target: *mut u8, size_bytes: usize) -> usize {
    (target.addr().wrapping_neg() % LINE_BYTES).min(size_bytes)
}

/// How whole lines are streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Several pages side by side, 16 bytes a store.
    SideBySide,
    /// In order, 16 bytes a store.
    InOrder,
    /// In order, 32 bytes a store. Only on CPUs with AVX2.
    Wide,
}

impl Way {
    /// The fastest of this CPU.
    pub(super) fn best() -> Self {
        if pays_side_by_side() {
            Self::SideBySide
        } else if is_x86_feature_detected!("avx2") {
            Self::Wide
        } else {
            Self::InOrder
        }
    }
}

/// Copies `size_bytes` with streaming stores.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`.
/// - The two ranges do not overlap.
/// - The CPU can go this way.
pub(super) unsafe fn copy(target: *mut u8, source: *const u8, size_bytes: usize, way: Way) {
    let head = head_bytes(target, size_bytes);
    // SAFETY: - ranges: `head <= size_bytes`; `streamed` is at most what is left; the tail is the rest.
    // - no overlap, way: the caller's promise.
    // - aligned: after `head` bytes `target` is on a line, or nothing is left to stream.
    // - SSSE3: not needed without SWAP.
    unsafe {
        ptr::copy_nonoverlapping(source, target, head);
        let streamed =
            stream::<false>(target.add(head), source.add(head), size_bytes - head, _mm_setzero_si128(), way);
        let done = head + streamed;
        ptr::copy_nonoverlapping(source.add(done), target.add(done), size_bytes - done);
    }
}

/// Copies `size_bytes` with the bytes of each element reversed, with streaming stores.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`.
/// - The two ranges do not overlap.
/// - `target`'s address and `size_bytes` are multiples of the element.
/// - The CPU has SSSE3, and can go this way.
#[target_feature(enable = "ssse3")]
pub(super) unsafe fn copy_swapped(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
    way: Way,
) {
    // A multiple of the element: so are the address, the line and the size.
    let head = head_bytes(target, size_bytes);
    let order = element.reversed_order();
    // SAFETY: - ranges, overlap, alignment: as in `copy` above.
    // - whole elements: head, streamed lines and size are multiples of the element.
    // - SSSE3, way: the caller's promise. - `order` is 16 bytes long.
    unsafe {
        portable::swap::<false>(target, source, head, element);
        let order = _mm_loadu_si128(order.as_ptr().cast());
        let streamed = stream::<true>(target.add(head), source.add(head), size_bytes - head, order, way);
        let done = head + streamed;
        portable::swap::<false>(target.add(done), source.add(done), size_bytes - done, element);
    }
}

/// Streams the whole lines of a range, fences, and returns how many bytes that were.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`; they do not overlap.
/// - `target` is on a line boundary, or `size_bytes` is less than a line.
/// - With `SWAP` the CPU has SSSE3. It can go this way.
#[inline(always)]
unsafe fn stream<const SWAP: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    order: __m128i,
    way: Way,
) -> usize {
    // SAFETY: the caller's promises are the callees'; only `Wide` needs AVX2.
    unsafe {
        match way {
            Way::SideBySide => lines::<SWAP, false, true>(target, source, size_bytes, order),
            Way::InOrder => lines::<SWAP, false, false>(target, source, size_bytes, order),
            Way::Wide => wide_lines::<SWAP>(target, source, size_bytes, order),
        }
    }
}

/// [`lines`] in order, of which the compiler then makes 32-byte loads and stores.
///
/// # Safety
/// As [`lines`].
#[target_feature(enable = "avx2")]
unsafe fn wide_lines<const SWAP: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    order: __m128i,
) -> usize {
    // SAFETY: the caller's promises are the callee's.
    unsafe { lines::<SWAP, true, false>(target, source, size_bytes, order) }
}

/// The loop of [`stream`].
///
/// # Safety
/// - As [`stream`]; with `WIDE` the CPU has AVX2.
#[inline(always)]
unsafe fn lines<const SWAP: bool, const WIDE: bool, const SIDE_BY_SIDE: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    order: __m128i,
) -> usize {
    let mut done = 0;
    // SAFETY: - in range: each line written lies below `size_bytes`, by the loop conditions.
    // - aligned: `target` is on a line and every offset is a multiple of a line.
    // - visible: the fence orders all these stores before anything the caller does next.
    unsafe {
        while SIDE_BY_SIDE && size_bytes - done >= ROUND_BYTES {
            let mut offset = 0;
            while offset < PAGE_BYTES {
                for way in 0..WAYS {
                    let at = done + way * PAGE_BYTES + offset;
                    stream_line::<SWAP, WIDE>(target.add(at), source.add(at), order);
                }
                offset += LINE_BYTES;
            }
            done += ROUND_BYTES;
        }
        while WIDE && size_bytes - done >= 2 * LINE_BYTES {
            stream_wide::<SWAP, 4>(target.add(done), source.add(done), order);
            done += 2 * LINE_BYTES;
        }
        while size_bytes - done >= LINE_BYTES {
            stream_line::<SWAP, WIDE>(target.add(done), source.add(done), order);
            done += LINE_BYTES;
        }
        _mm_sfence();
    }
    done
}

/// Streams one line. The caller fences.
///
/// # Safety
/// - `source` is readable and `target` writable for a line; `target` is on a line boundary.
/// - With `SWAP` the CPU has SSSE3, with `WIDE` AVX2.
#[inline(always)]
unsafe fn stream_line<const SWAP: bool, const WIDE: bool>(
    target: *mut u8,
    source: *const u8,
    order: __m128i,
) {
    const QUARTER_BYTES: usize = LINE_BYTES / 4;
    // SAFETY: - in range, aligned, SSSE3, AVX2: the caller's promises; a quarter of a line is 16 bytes.
    unsafe {
        if WIDE {
            return stream_wide::<SWAP, 2>(target, source, order);
        }
        let load = |quarter: usize| {
            let bytes = _mm_loadu_si128(source.add(quarter * QUARTER_BYTES).cast());
            if SWAP { _mm_shuffle_epi8(bytes, order) } else { bytes }
        };
        let line = [load(0), load(1), load(2), load(3)];
        for (quarter, bytes) in line.into_iter().enumerate() {
            _mm_stream_si128(target.add(quarter * QUARTER_BYTES).cast(), bytes);
        }
    }
}

/// Streams some halves of lines, two of each line, loading all before the first is stored. The caller fences. EPYC Zen 5:
/// with four at a time 8 MiB 45 GB/s instead of 41, 32 MiB 35 instead of 33, 64 MiB 30 instead of 28.
///
/// # Safety
/// - `source` is readable and `target` writable for so many halves; `target` is on a line boundary.
/// - The CPU has AVX2.
#[inline(always)]
unsafe fn stream_wide<const SWAP: bool, const HALVES: usize>(
    target: *mut u8,
    source: *const u8,
    order: __m128i,
) {
    const HALF_BYTES: usize = LINE_BYTES / 2;
    // SAFETY: - in range, aligned, AVX2: the caller's promises; half a line is 32 bytes.
    unsafe {
        let mut bytes = [_mm256_setzero_si256(); HALVES];
        for (half, loaded) in bytes.iter_mut().enumerate() {
            *loaded = _mm256_loadu_si256(source.add(half * HALF_BYTES).cast());
            if SWAP {
                *loaded = _mm256_shuffle_epi8(*loaded, _mm256_broadcastsi128_si256(order));
            }
        }
        for (half, loaded) in bytes.into_iter().enumerate() {
            _mm256_stream_si256(target.add(half * HALF_BYTES).cast(), loaded);
        }
    }
}

/// Fills `size_bytes` at `target` with a pattern that begins there, with streaming stores.
///
/// # Safety
/// - `target` is writable for `size_bytes`.
pub(super) unsafe fn fill(target: *mut u8, pattern: Pattern, size_bytes: usize) {
    let head = head_bytes(target, size_bytes);
    let mut done = head;
    // The pattern's length divides a line's, so it is the same on every line, and behind the last.
    let on_lines = pattern.after(head);
    // SAFETY: - in range: the head, then whole lines, then the rest, never past `size_bytes`.
    // - aligned: after `head` bytes `target` is on a line, or nothing is left to stream. - a pattern is 16 bytes.
    // - visible: fenced before the tail.
    unsafe {
        fill_blocks(target, pattern, head);
        let bytes = _mm_loadu_si128(on_lines.bytes().as_ptr().cast());
        while size_bytes - done >= LINE_BYTES {
            for offset in [0, 16, 32, 48] {
                _mm_stream_si128(target.add(done + offset).cast(), bytes);
            }
            done += LINE_BYTES;
        }
        _mm_sfence();
        fill_blocks(target.add(done), on_lines, size_bytes - done);
    }
}
