//! Where page runs come from: segments that are cut from the front, or a region of their own.

use super::classes;
use super::segment::{Segment, refused};
use crate::base::error::Result;
use crate::base::sync::{Mutex, lock};
use crate::raw::atlas::{Atlas, Span};
use crate::raw::region::Region;

/// First segment, and how far segments grow. Address space only; a JavaScript isolate that reads
/// a block through the hidden view accounts a whole segment, hence not 1 GiB at once.
const SEGMENT_MIN: u64 = 64 << 20;
pub(super) const SEGMENT_MAX: u64 = 1 << 30;
/// Runs above this have a region of their own.
const SHARED_RUN_MAX: u64 = 16 << 20;

/// Cuts page runs.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<Segment>);

/// A run that was just cut: committed, all bytes 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) span: Span,
    pub(super) offset: u32,
}

impl Runs {
    /// Cuts a run of a class.
    pub(super) fn cut(&self, atlas: &Atlas, class: u8) -> Result<Run> {
        let (size, alignment) = (classes::size_of(class), classes::alignment_of(class));
        if size > SHARED_RUN_MAX {
            return alone(atlas, size, alignment);
        }
        let mut segment = lock(&self.0);
        loop {
            if let Some(cut) = segment.cut(atlas, size, alignment)? {
                return Ok(Run { span: cut.span, offset: cut.offset as u32 });
            }
            // The next segment, twice the size of the last. Aligned so that every run class that shares segments finds its
            // multiple.
            let next = (segment.size() * 2).clamp(SEGMENT_MIN, SEGMENT_MAX);
            let aligned = alignment.max(SHARED_RUN_MAX) as usize;
            if !segment.renew(atlas, next, SEGMENT_MIN, |size| Region::reserve(size as usize, aligned)) {
                drop(segment);
                return alone(atlas, size, alignment); // little address space is left: take just enough
            }
        }
    }

    /// Bytes of the present segment that are cut: for `check`.
    #[cfg(test)]
    pub(super) fn cut_bytes(&self) -> (u64, u64) {
        lock(&self.0).cut_bytes()
    }
}

fn alone(atlas: &Atlas, size: u64, alignment: u64) -> Result<Run> {
    let bytes = usize::try_from(size).map_err(|_| refused(size))?;
    let region = Region::reserve(bytes, alignment as usize).ok_or_else(|| refused(size))?;
    if region.commit_to(bytes).is_none() {
        region.discard(alignment as usize);
        return Err(refused(size));
    }
    let span = atlas.add(region).ok_or_else(|| refused(size))?;
    Ok(Run { span, offset: 0 })
}
