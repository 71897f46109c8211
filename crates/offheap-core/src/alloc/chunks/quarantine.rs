//! Quarantine: where a freed chunk waits that was ever viewed. A read of the operating system that was
//! still under way when the block was freed, or a socket that still sends it, must not meet the
//! memory's next owner. First in, first out, and bounded: waiting can end early, but never fails.

use super::classes;
use crate::tracker::state::Slot;
use std::collections::VecDeque;

/// Most chunks that wait, and most bytes of theirs that keep their pages. Both are what the design
/// measured as enough for every late operation it could provoke, at the price of 8 MiB an isolate.
const CHUNKS_MAX: usize = 256;
pub(super) const PAGED_BYTES_MAX: u64 = 8 << 20;

/// A chunk that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) slot: Slot,
    pub(super) class: u8,
    /// Bytes that still have their pages.
    pub(super) paged_bytes: u64,
}

/// Chunks in the order in which they were freed.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    paged_bytes: u64,
}

impl Quarantine {
    /// Bytes of address space that wait.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A chunk begins to wait.
    pub(super) fn push(&mut self, chunk: Waiting) {
        self.bytes += classes::size_of(chunk.class);
        self.paged_bytes += chunk.paged_bytes;
        self.waiting.push_back(chunk);
    }

    /// The oldest chunk, when there are too many.
    pub(super) fn pop_surplus(&mut self) -> Option<Waiting> {
        if self.waiting.len() <= CHUNKS_MAX && self.paged_bytes <= PAGED_BYTES_MAX {
            return None;
        }
        self.pop()
    }

    /// The oldest chunk.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let chunk = self.waiting.pop_front()?;
        self.forget(chunk);
        Some(chunk)
    }

    /// The oldest chunk of a class, when nothing else is to be had.
    pub(super) fn take(&mut self, class: u8) -> Option<Slot> {
        let index = self.waiting.iter().position(|chunk| chunk.class == class)?;
        let chunk = self.waiting.remove(index)?;
        self.forget(chunk);
        Some(chunk.slot)
    }

    fn forget(&mut self, chunk: Waiting) {
        self.bytes -= classes::size_of(chunk.class);
        self.paged_bytes -= chunk.paged_bytes;
    }

    /// The chunks of a class that wait, oldest first.
    pub(super) fn of_class(&self, class: u8) -> impl Iterator<Item = Slot> + '_ {
        self.waiting.iter().filter(move |chunk| chunk.class == class).map(|chunk| chunk.slot)
    }

    /// All of them gave their pages back.
    pub(super) fn unpaged(&mut self) {
        for chunk in &mut self.waiting {
            chunk.paged_bytes = 0;
        }
        self.paged_bytes = 0;
    }

    /// Checks the sums and gives all chunks.
    #[cfg(test)]
    pub(super) fn check(&self) -> Vec<(Slot, u8)> {
        assert!(self.waiting.len() <= CHUNKS_MAX && self.paged_bytes <= PAGED_BYTES_MAX);
        let sum = |of: fn(&Waiting) -> u64| self.waiting.iter().map(of).sum::<u64>();
        assert_eq!(self.bytes, sum(|chunk| classes::size_of(chunk.class)));
        assert_eq!(self.paged_bytes, sum(|chunk| chunk.paged_bytes));
        self.waiting.iter().map(|chunk| (chunk.slot, chunk.class)).collect()
    }
}
