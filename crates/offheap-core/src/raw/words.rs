//! Zeroed arrays of atomics that cost address space only, until touched, and live for ever.

use super::bytes::Bytes;
use super::os::{Os, System};
use super::region::Region;
use crate::base::sync::{AtomicI32, AtomicU8, AtomicU64};
use std::ptr::NonNull;

/// `count` words that read 0, for ever. `None` when the system refuses.
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
#[must_use]
pub fn zeroed_i32(count: usize) -> Option<&'static [AtomicI32]> {
    let start = zeroed(count * size_of::<AtomicI32>())?;
    // SAFETY: as in `zeroed_u64`, for `AtomicI32` and `i32`. JavaScript's plain 4-byte stores are
    // single instructions on aligned words: they behave as Relaxed stores of the same size.
    unsafe { Some(std::slice::from_raw_parts(start.cast().as_ptr(), count)) }
}

/// `count` bytes that read 0, for ever. `None` when the system refuses.
#[must_use]
pub fn zeroed_u8(count: usize) -> Option<&'static [AtomicU8]> {
    let start = zeroed(count)?;
    // SAFETY: as in `zeroed_u64`, for `AtomicU8` and `u8`.
    unsafe { Some(std::slice::from_raw_parts(start.cast().as_ptr(), count)) }
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

fn zeroed(size: usize) -> Option<NonNull<u8>> {
    let size = size.next_multiple_of(System::page_size());
    let region = Region::reserve(size, 1)?;
    if region.commit_to(size).is_some() {
        return Some(region.start());
    }
    region.discard(1);
    None
}
