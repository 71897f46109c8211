//! `Bytes`: a range of memory that may be written by others while we look at it.

use std::marker::PhantomData;
use std::ptr::NonNull;

/// A range of mapped, readable and writable memory for as long as `'a`.
///
/// It is not a slice, on purpose: JavaScript and other threads may write these bytes at any
/// moment, and a `&[u8]` would promise the compiler that they do not.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    pointer: NonNull<u8>,
    size: usize,
    life: PhantomData<&'a ()>,
}

// SAFETY: - what is sent is an address and a size; the range stays valid during `'a` whichever thread looks.
// - data races: that others write the bytes at any moment is what this type is for, so nothing here relies
//   on being the only one. `from_mut` borrows its slice for `'a`, so no reference to it is used meanwhile.
unsafe impl Send for Bytes<'_> {}
// SAFETY: - as for `Send`: the type is `Copy`, so to share one is to send one.
unsafe impl Sync for Bytes<'_> {}

impl<'a> Bytes<'a> {
    /// Names a range.
    ///
    /// # Safety
    /// - `pointer` is valid for reads and writes of `size` bytes during all of `'a`.
    /// - Nobody holds a Rust reference (`&[u8]`, `&mut [u8]`) into the range during `'a`.
    /// - `size` is at most `isize::MAX`.
    #[must_use]
    pub unsafe fn from_raw_parts(pointer: NonNull<u8>, size: usize) -> Self {
        debug_assert!(isize::try_from(size).is_ok());
        Self { pointer, size, life: PhantomData }
    }

    /// The range of a slice that is ours alone.
    #[must_use]
    pub fn from_mut(slice: &'a mut [u8]) -> Self {
        // SAFETY: - valid and unaliased: a `&mut [u8]` borrowed for `'a`, moved into this value.
        // - size: slices are at most `isize::MAX` bytes.
        unsafe { Self::from_raw_parts(NonNull::from(&mut *slice).cast(), slice.len()) }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        self.size
    }

    /// The address of the first byte, to show or to compare, never to read through.
    #[must_use]
    pub fn address(self) -> usize {
        self.pointer.as_ptr() as usize
    }

    /// The part `[offset, offset + length)`, or `None` when it is not inside. Cannot overflow.
    #[must_use]
    pub fn slice(self, offset: u64, length: u64) -> Option<Self> {
        let size = self.size as u64;
        if offset > size || length > size - offset {
            return None;
        }
        let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        // SAFETY: - in bounds: `offset <= size`, so the pointer stays inside or one past the range.
        // - the part lies inside the range, whose contract therefore covers it.
        unsafe { Some(Self::from_raw_parts(self.pointer.add(offset), length)) }
    }

    /// Whether the two ranges share a byte.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.size > 0
            && other.size > 0
            && self.address() < other.address() + other.size
            && other.address() < self.address() + self.size
    }

    /// The first byte's pointer, for this room only.
    pub(super) fn as_ptr(self) -> *mut u8 {
        self.pointer.as_ptr()
    }
}
