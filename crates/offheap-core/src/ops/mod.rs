//! Ops: copy, fill, compare, mismatch, snapshot, atomic words. Checks what was asked and chooses how.
//! Room: ops (2). May use: base, raw.
#![forbid(unsafe_code)]

pub mod job;
mod streaming;

use std::cmp::Ordering;

use crate::base::error::{Code, Error, Result};
use crate::raw::bytes::Bytes;
use crate::raw::mem;

pub use crate::raw::mem::{AtomicOp, Element, Pattern};
pub use streaming::Thresholds;

/// How [`copy`] copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyMode {
    /// The fastest way at that size; streams from [`Thresholds::copy_min_bytes`] on.
    Normal,
    /// Streams at any size: the target takes no room in the caches. The source does, as in every copy, so one that is larger than
    /// the caches pushes out what they hold. Overlapping ranges are copied plainly, and so is everything on CPUs that have no
    /// streaming stores (all but x86_64).
    NonTemporal,
    /// Reverses the bytes of each element; streams from [`Thresholds::copy_min_bytes`] on.
    SwapEndian(Element),
}

/// Copies all of `source` to `target`. The ranges may overlap: in every mode the result is that of a copy
/// through a temporary. Sizes of 0 do nothing. Bytes that another thread writes meanwhile arrive in
/// their old or new state, each by itself.
///
/// # Errors
/// - [`Code::OutOfRange`] if the sizes differ: `requested` is the source's, `available` the target's.
/// - [`Code::InvalidValue`] if the size is no multiple of the element to swap: `requested` is the size,
///   `available` the next smaller multiple.
pub fn copy(target: Bytes<'_>, source: Bytes<'_>, mode: CopyMode) -> Result<()> {
    check_copy(target, source, mode)?;
    copy_part(target, source, mode, target.size());
    Ok(())
}

fn check_copy(target: Bytes<'_>, source: Bytes<'_>, mode: CopyMode) -> Result<()> {
    check_sizes(source, target)?;
    if let CopyMode::SwapEndian(element) = mode { check_elements(target, element) } else { Ok(()) }
}

/// A part of a copy of `whole_bytes`, by which it is chosen how. The copy was checked.
fn copy_part(target: Bytes<'_>, source: Bytes<'_>, mode: CopyMode, whole_bytes: usize) {
    match mode {
        CopyMode::NonTemporal => mem::copy_streaming(target, source),
        _ if whole_bytes >= streaming::COPY_MIN_BYTES => copy_large_part(target, source, mode, whole_bytes),
        CopyMode::Normal => mem::copy(target, source),
        CopyMode::SwapEndian(element) => mem::copy_swapped(target, source, element),
    }
}

/// Out of line, so that small copies carry nothing of the thresholds.
#[inline(never)]
fn copy_large_part(target: Bytes<'_>, source: Bytes<'_>, mode: CopyMode, whole_bytes: usize) {
    match (mode, streaming::copies(whole_bytes)) {
        (CopyMode::SwapEndian(element), true) => mem::copy_swapped_streaming(target, source, element),
        (CopyMode::SwapEndian(element), false) => mem::copy_swapped(target, source, element),
        (CopyMode::NonTemporal, _) | (CopyMode::Normal, true) => mem::copy_streaming(target, source),
        (CopyMode::Normal, false) => mem::copy(target, source),
    }
}

/// Fills `target` with a byte, or with a pattern that begins with it and is cut at its end. A size of 0 does nothing.
pub fn fill(target: Bytes<'_>, pattern: impl Into<Pattern>) {
    fill_part(target, pattern.into(), target.size());
}

/// A part of a fill of `whole_bytes`, by which it is chosen how.
fn fill_part(target: Bytes<'_>, pattern: Pattern, whole_bytes: usize) {
    if whole_bytes >= streaming::FILL_MIN_BYTES {
        fill_large_part(target, pattern, whole_bytes);
    } else {
        mem::fill(target, pattern);
    }
}

/// Out of line, as [`copy_large_part`].
#[inline(never)]
fn fill_large_part(target: Bytes<'_>, pattern: Pattern, whole_bytes: usize) {
    if streaming::fills(whole_bytes, target.size() < whole_bytes) {
        mem::fill_streaming(target, pattern);
    } else {
        mem::fill(target, pattern);
    }
}

/// The order of the first bytes that differ, as unsigned numbers; `Equal` when none do, also for sizes of 0.
///
/// # Errors
/// [`Code::OutOfRange`] if the sizes differ: `requested` is `one`'s, `available` is `other`'s.
pub fn compare(one: Bytes<'_>, other: Bytes<'_>) -> Result<Ordering> {
    check_sizes(one, other)?;
    Ok(mem::compare(one, other))
}

/// The index in bytes, from 0, of the first byte in which the two differ; `None` when they are equal.
///
/// # Errors
/// [`Code::OutOfRange`] if the sizes differ: `requested` is `one`'s, `available` is `other`'s.
pub fn mismatch(one: Bytes<'_>, other: Bytes<'_>) -> Result<Option<usize>> {
    check_sizes(one, other)?;
    Ok(mem::mismatch(one, other))
}

/// Whether the two have the same size and the same bytes.
#[must_use]
pub fn equals(one: Bytes<'_>, other: Bytes<'_>) -> bool {
    one.size() == other.size() && mem::mismatch(one, other).is_none()
}

/// Copies `source` into memory of our own, where no other thread can change it while it is decoded.
///
/// # Errors
/// [`Code::OutOfRange`] if the sizes differ: `requested` is the source's, `available` the target's.
pub fn snapshot(source: Bytes<'_>, target: &mut [u8]) -> Result<()> {
    copy(Bytes::from_mut(target), source, CopyMode::Normal)
}

/// Changes one word of 4 or 8 bytes, atomically and sequentially consistent, and gives the number that was
/// there before, sign-extended.
///
/// # Errors
/// [`Code::OutOfRange`] if the range is no aligned word: `requested` is its address modulo 8, `available` its size.
pub fn atomic(target: Bytes<'_>, op: AtomicOp) -> Result<i64> {
    let refused = || Error::new(Code::OutOfRange, (target.address() % 8) as u64, target.size() as u64);
    mem::atomic(target, op).ok_or_else(refused)
}

fn check_sizes(requested: Bytes<'_>, available: Bytes<'_>) -> Result<()> {
    if requested.size() == available.size() {
        return Ok(());
    }
    Err(Error::new(Code::OutOfRange, requested.size() as u64, available.size() as u64))
}

fn check_elements(range: Bytes<'_>, element: Element) -> Result<()> {
    let rest = range.size() % element.bytes();
    if rest == 0 {
        return Ok(());
    }
    Err(Error::new(Code::InvalidValue, range.size() as u64, (range.size() - rest) as u64))
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Code, CopyMode, Element, Error, compare, copy, equals, mismatch, snapshot};

    #[test]
    fn different_sizes_are_refused_with_both_numbers_and_nothing_is_written() {
        let (mut target, mut source) = ([9; 3], [1; 4]);
        let expected = Err(Error::new(Code::OutOfRange, 4, 3));
        for mode in [CopyMode::Normal, CopyMode::NonTemporal, CopyMode::SwapEndian(Element::E2)] {
            assert_eq!(copy(Bytes::from_mut(&mut target), Bytes::from_mut(&mut source), mode), expected);
        }
        assert_eq!(snapshot(Bytes::from_mut(&mut source), &mut target), expected);
        assert_eq!(target, [9; 3]);
        let (target, source) = (Bytes::from_mut(&mut target), Bytes::from_mut(&mut source));
        assert_eq!(compare(source, target), Err(Error::new(Code::OutOfRange, 4, 3)));
        assert_eq!(mismatch(target, source), Err(Error::new(Code::OutOfRange, 3, 4)));
        assert!(!equals(target, source));
    }

    #[test]
    fn a_swap_that_would_split_an_element_is_refused_and_nothing_is_written() {
        for element in Element::ALL {
            let (mut target, mut source) = ([9; 33], [1; 33]);
            let result = copy(
                Bytes::from_mut(&mut target),
                Bytes::from_mut(&mut source),
                CopyMode::SwapEndian(element),
            );
            assert_eq!(result, Err(Error::new(Code::InvalidValue, 33, 32)));
            assert_eq!(target, [9; 33]);
        }
    }
}
