//! Zeroed arrays of atomics that cost address space only, until touched, and live for ever. In a model they are made
//! one by one.

use super::bytes::Bytes;
#[cfg(not(loom))]
use super::os::{Os, System};
#[cfg(not(loom))]
use super::region::Region;
#[cfg(not(loom))]
use crate::base::sync::AtomicU8;
use crate::base::sync::{AtomicI32, AtomicU64};
#[cfg(loom)]
pub use model::{give_back, zeroed_i32, zeroed_u64, zeroed_u64_and_i32, zeroed_u64_and_u8};
use std::ptr::NonNull;

#[cfg(loom)]
mod model;

/// `count` words that read 0, for ever. `None` when the system refuses.
#[cfg(not(loom))]
#[must_use]
pub fn zeroed_u64(count: usize) -> Option<&'static [AtomicU64]> {
    let start = zeroed(count * size_of::<AtomicU64>())?;
    // SAFETY: - `AtomicU64` has the layout of `u64`; all bit patterns, 0 included, are valid.
    // - aligned: a region starts on a page. - in bounds: `count` words were reserved and committed.
    // - `'static`: a region is never unmapped, and only this slice refers to it.
    unsafe { Some(std::slice::from_raw_parts(start.cast().as_ptr(), count)) }
}

/// `count` 32-bit words that read 0, for ever. JavaScript may write them, so nothing that is read
/// from them is trusted. `None` when the system refuses.
#[cfg(not(loom))]
#[must_use]
pub fn zeroed_i32(count: usize) -> Option<&'static [AtomicI32]> {
    let start = zeroed(count * size_of::<AtomicI32>())?;
    // SAFETY: as in `zeroed_u64`, for `AtomicI32` and `i32`. JavaScript's plain 4-byte stores are
    // single instructions on aligned words: they behave as Relaxed stores of the same size.
    unsafe { Some(std::slice::from_raw_parts(start.cast().as_ptr(), count)) }
}

/// `words` words and `bytes` bytes that read 0, for ever: both or, when the system refuses, `None`. In one
/// piece, so that no half of it is left over when the other is refused.
#[cfg(not(loom))]
#[must_use]
pub fn zeroed_u64_and_u8(words: usize, bytes: usize) -> Option<(&'static [AtomicU64], &'static [AtomicU8])> {
    let start = zeroed(words * size_of::<AtomicU64>() + bytes)?;
    // SAFETY: as in `zeroed_u64`, for the words at the start and for `AtomicU8` and `u8` right behind
    // them; together they are what was reserved, and they share no byte.
    unsafe {
        let behind = start.cast::<AtomicU64>().add(words);
        Some((
            std::slice::from_raw_parts(start.cast().as_ptr(), words),
            std::slice::from_raw_parts(behind.cast().as_ptr(), bytes),
        ))
    }
}

/// `words` words and `halves` 32-bit words, in one piece as in [`zeroed_u64_and_u8`].
#[cfg(not(loom))]
#[must_use]
pub fn zeroed_u64_and_i32(
    words: usize,
    halves: usize,
) -> Option<(&'static [AtomicU64], &'static [AtomicI32])> {
    let start = zeroed(words * size_of::<AtomicU64>() + halves * size_of::<AtomicI32>())?;
    // SAFETY: as in `zeroed_u64_and_u8`, for `AtomicI32` and `i32`.
    unsafe {
        let behind = start.cast::<AtomicU64>().add(words);
        Some((
            std::slice::from_raw_parts(start.cast().as_ptr(), words),
            std::slice::from_raw_parts(behind.cast().as_ptr(), halves),
        ))
    }
}

/// The bytes of a column, for a view that JavaScript reads it through.
#[must_use]
pub fn bytes_of_u64(words: &'static [AtomicU64]) -> Bytes<'static> {
    // SAFETY: valid for ever and only accessed atomically from Rust; no plain reference exists.
    unsafe { Bytes::from_raw_parts(NonNull::from(words).cast(), size_of_val(words)) }
}

/// The bytes of a table, for the view through which JavaScript reads and writes it.
#[must_use]
pub fn bytes_of_i32(words: &'static [AtomicI32]) -> Bytes<'static> {
    // SAFETY: as in `bytes_of_u64`.
    unsafe { Bytes::from_raw_parts(NonNull::from(words).cast(), size_of_val(words)) }
}

/// Gives the pages back that hold nothing but these words. Each of those reads 0 then, or as before where the system does
/// not say; what somebody stores meanwhile may be lost. Returns the bytes.
#[cfg(not(loom))]
pub fn give_back(words: &'static [AtomicI32]) -> usize {
    let page = System::page_size();
    let start = NonNull::from(words).cast::<u8>();
    let first = start.addr().get().next_multiple_of(page) - start.addr().get();
    let size = size_of_val(words).saturating_sub(first) / page * page;
    if size == 0 || !System::GIVES_PAGES_BACK {
        return 0;
    }
    // SAFETY: - inside the words, of which a page and more lie behind `first`. - on page bounds, and committed: what
    //   `zeroed_i32` gives is so as a whole, for ever.
    // - the words are atomics of which every value is valid: for whoever looks, others were stored.
    unsafe { System::decommit(start.add(first), size) }
}

#[cfg(not(loom))]
fn zeroed(size: usize) -> Option<NonNull<u8>> {
    let size = size.next_multiple_of(System::page_size());
    let region = Region::reserve(size, 1)?;
    if region.commit_to(size).is_some() {
        return Some(region.start());
    }
    region.discard(1);
    None
}

#[cfg(test)]
mod tests {
    use super::zeroed_u64_and_u8;
    use crate::base::sync::Ordering;

    #[test]
    fn words_and_bytes_of_one_piece_read_zero_and_share_nothing() {
        for (words, bytes) in [(1, 1), (3, 4096), (1000, 65_537), (512, 0)] {
            let (longs, shorts) = zeroed_u64_and_u8(words, bytes).unwrap();
            assert_eq!((longs.len(), shorts.len()), (words, bytes));
            assert!(longs.iter().all(|word| word.load(Ordering::Relaxed) == 0));
            longs.iter().for_each(|word| word.store(!0, Ordering::Relaxed));
            assert!(shorts.iter().all(|byte| byte.swap(7, Ordering::Relaxed) == 0));
            assert!(longs.iter().all(|word| word.load(Ordering::Relaxed) == !0));
        }
        assert!(zeroed_u64_and_u8(1 << 50, 1 << 50).is_none(), "no system has so much");
    }
}
