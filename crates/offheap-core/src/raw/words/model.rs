//! The same arrays of a model checker's atomics, which are no plain words.

use crate::base::sync::{AtomicI32, AtomicU8, AtomicU64};

/// As without a model.
#[must_use]
pub fn zeroed_u64(count: usize) -> Option<&'static [AtomicU64]> {
    forever(count)
}

/// As without a model.
#[must_use]
pub fn zeroed_i32(count: usize) -> Option<&'static [AtomicI32]> {
    forever(count)
}

/// As without a model.
#[must_use]
pub fn zeroed_u64_and_u8(words: usize, bytes: usize) -> Option<(&'static [AtomicU64], &'static [AtomicU8])> {
    Some((forever(words)?, forever(bytes)?))
}

/// As without a model.
#[must_use]
pub fn zeroed_u64_and_i32(
    words: usize,
    halves: usize,
) -> Option<(&'static [AtomicU64], &'static [AtomicI32])> {
    Some((forever(words)?, forever(halves)?))
}

/// A model has no pages.
pub fn give_back(_words: &'static [AtomicI32]) -> usize {
    0
}

fn forever<T: Default>(count: usize) -> Option<&'static [T]> {
    Some((0..count).map(|_| T::default()).collect::<Vec<_>>().leak())
}
