//! Where the spans of small classes come from: pieces of address space, each for many spans. A span of its own from
//! `std::alloc` would cost more than its bytes: what aligning it leaves over, the allocator's notes, an entry in the
//! atlas, and a hidden view with all that V8 keeps about one.

use super::classes;
use super::segment::{Cut, Segment, refused};
use crate::base::error::Result;
use crate::base::sync::{Mutex, lock, sized};
use crate::raw;
use crate::raw::atlas::Atlas;
use crate::raw::region::Region;

/// Size of a piece. Addresses only: a span is committed when it is cut and has pages when it is touched. 4 MiB: an isolate
/// that reads a block through the hidden view accounts a whole piece to V8, which must not collect because of one block.
/// In a model a piece is one span, and what is mapped is used as a whole: the system joins such mappings, and a process has
/// only so many of them for all that its executions leave.
pub(super) const PIECE_BYTES: u64 = sized(4 << 20, SPAN_MIN as usize) as u64;
const PIECE_ALIGNMENT: u64 = sized(classes::SMALL_MAX as usize, 1) as u64;

/// Chunks to aim for in a span; at least 16 always fit, which bounds the number of spans.
const SPAN_CHUNKS: u64 = 64;
/// Span sizes, in bytes. 64 KiB: the smallest unit worth a call to the system.
const SPAN_MIN: u64 = 64 << 10;
const SPAN_MAX: u64 = 1 << 20;
const _: () = assert!(SPAN_MAX / classes::SMALL_MAX >= 16);

/// How long a span is that chunks of `size` bytes are cut from.
pub(super) fn span_bytes(size: u64) -> u64 {
    (size * SPAN_CHUNKS).clamp(SPAN_MIN, SPAN_MAX).next_multiple_of(raw::page_size() as u64)
}

/// Cuts spans.
#[derive(Debug, Default)]
pub(super) struct Pieces(Mutex<Segment>);

impl Pieces {
    /// Cuts a span for chunks of a small class.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfMemory`] when the system refuses even a piece of a single span.
    pub(super) fn cut(&self, atlas: &Atlas, class: u8) -> Result<Cut> {
        let bytes = span_bytes(classes::size_of(class));
        // On a page, so that no page is of two classes; every chunk finds its alignment at a multiple of its size.
        let alignment = classes::alignment_of(class).max(raw::page_size() as u64);
        // Aligned to the largest small class, so that every class finds its own alignment inside.
        let reserve = |size| Region::reserve(size as usize, alignment.max(PIECE_ALIGNMENT) as usize);
        let mut piece = lock(&self.0);
        loop {
            if let Some(cut) = piece.cut(atlas, bytes, alignment)? {
                return Ok(cut);
            }
            if !piece.renew(atlas, PIECE_BYTES, bytes, reserve) {
                return Err(refused(bytes));
            }
        }
    }

    /// Bytes of the present piece that are cut: for `check`.
    #[cfg(test)]
    pub(super) fn cut_bytes(&self) -> (u64, u64) {
        lock(&self.0).cut_bytes()
    }
}
