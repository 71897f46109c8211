//! `Region`: a range of addresses of our own, committed from the front. It lives for ever:
//! JavaScript may hold buffers over it that nobody can recall, and a late write of the operating
//! system must not land in memory that belongs to somebody else by then.

use super::bytes::Bytes;
use super::os::{Os, System};
use crate::base::sync::{AtomicUsize, Ordering};
use std::ptr::NonNull;

/// A reserved range. Offsets go in, pointers never leave this room.
#[derive(Debug)]
pub struct Region {
    start: NonNull<u8>,
    size: usize,
    committed: AtomicUsize, // [0, committed) is readable and writable; only grows
}

// SAFETY: the memory behind a region is plain bytes that any thread may read and write through
// `Bytes`, and it is never unmapped; the address does not change.
unsafe impl Send for Region {}
// SAFETY: as for `Send`; `committed` is atomic.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves `size` bytes (a page multiple, not 0) at a multiple of `alignment` (a power of two).
    /// Nothing is committed. `None` when the system refuses.
    #[must_use]
    pub fn reserve(size: usize, alignment: usize) -> Option<Self> {
        let page = System::page_size();
        assert!(size > 0 && size.is_multiple_of(page) && alignment.is_power_of_two());
        let start = System::reserve(size, alignment.max(page))?;
        Some(Self { start, size, committed: AtomicUsize::new(0) })
    }

    /// Length in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// So many bytes from the first on are readable and writable.
    #[must_use]
    pub fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    /// The first address, as a number.
    #[must_use]
    pub fn address(&self) -> usize {
        self.start.as_ptr() as usize
    }

    /// Commits everything before `end` (a page multiple) and returns how many bytes that added.
    /// Callers hold the lock under which they carve. `None` when the system refuses; then nothing
    /// has changed.
    #[must_use]
    pub fn commit_to(&self, end: usize) -> Option<usize> {
        let from = self.committed.load(Ordering::Relaxed);
        if end <= from {
            return Some(0);
        }
        let part = self.part(from, end - from);
        // SAFETY: - inside the reservation, on page bounds: checked by `part`.
        // - not committed yet: it starts where the committed part ends. (Should two threads race
        //   here, the second commit finds the same protection already set and changes no byte.)
        if !unsafe { System::commit(part, end - from) } {
            return None;
        }
        self.committed.fetch_max(end, Ordering::Release); // pairs with the Acquire in `bytes`
        Some(end - from)
    }

    /// Gives the pages of a committed part back; see [`Os::decommit`]. The caller must own every
    /// chunk in it: the bytes are lost. Returns the bytes that the system took.
    pub fn decommit(&self, offset: usize, size: usize) -> usize {
        assert!(offset + size <= self.committed.load(Ordering::Acquire));
        let part = self.part(offset, size);
        // SAFETY: - committed, on page bounds: checked here and by `part`.
        // - the bytes are plain data in which no Rust value lives: losing them is no memory error,
        //   whoever looks at them.
        unsafe { System::decommit(part, size) }
    }

    /// The committed bytes `[offset, offset + size)`, or `None` where they are not all committed.
    #[must_use]
    pub fn bytes(&self, offset: usize, size: usize) -> Option<Bytes<'static>> {
        let committed = self.committed.load(Ordering::Acquire);
        if offset > committed || size > committed - offset {
            return None;
        }
        // SAFETY: - valid: committed (just checked) and never unmapped, hence `'static`.
        // - no references: this room makes none into regions that it hands out as bytes.
        // - size: at most the region's, which is at most `isize::MAX`.
        unsafe { Some(Bytes::from_raw_parts(self.start.add(offset), size)) }
    }

    /// Unmaps a reservation that was never registered. `alignment` as given to `reserve`.
    pub fn discard(self, alignment: usize) {
        // SAFETY: taken by value, so nobody else has it; made by `reserve` with this alignment.
        unsafe { System::release(self.start, self.size, alignment.max(System::page_size())) };
    }

    /// The first byte, for this room only.
    pub(super) const fn start(&self) -> NonNull<u8> {
        self.start
    }

    fn part(&self, offset: usize, size: usize) -> NonNull<u8> {
        let page = System::page_size();
        assert!(offset <= self.size && size <= self.size - offset);
        assert!((self.address() + offset).is_multiple_of(page) && size.is_multiple_of(page) && size > 0);
        // SAFETY: `offset` is inside the region, checked above.
        unsafe { self.start.add(offset) }
    }
}
