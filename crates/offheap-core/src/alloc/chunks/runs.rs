//! Where page runs come from: segments that are cut from the front, or a region of their own.

use super::classes;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Mutex, lock};
use crate::raw;
use crate::raw::atlas::{Atlas, Span};
use crate::raw::region::Region;

/// First segment, and how far segments grow. Address space only; a JavaScript isolate that reads
/// a block through the hidden view accounts a whole segment, hence not 1 GiB at once.
const SEGMENT_MIN: u64 = 64 << 20;
const SEGMENT_MAX: u64 = 1 << 30;
/// Runs above this have a region of their own.
const SHARED_RUN_MAX: u64 = 16 << 20;

#[derive(Debug, Default)]
struct Segment {
    span: Option<Span>,
    next: u64, // everything before is cut
    size: u64,
}

/// Cuts page runs.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<Segment>);

/// A run that was just cut: committed, all bytes 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) span: Span,
    pub(super) offset: u32,
}

fn refused(size: u64) -> Error {
    Error::new(Code::OutOfMemory, size, raw::available_bytes())
}

impl Runs {
    /// Cuts a run of a class.
    pub(super) fn cut(&self, atlas: &Atlas, class: u8) -> Result<Run> {
        let (size, alignment) = (classes::size_of(class), classes::alignment_of(class));
        if size > SHARED_RUN_MAX {
            return alone(atlas, size, alignment);
        }
        let mut segment = lock(&self.0);
        let offset = segment.next.next_multiple_of(alignment);
        if segment.span.is_none() || offset + size > segment.size {
            if !open(&mut segment, atlas, alignment) {
                drop(segment);
                return alone(atlas, size, alignment); // little address space is left: take just enough
            }
            drop(segment);
            return self.cut(atlas, class);
        }
        let span = segment.span.ok_or(Error::from(Code::Corrupted))?;
        let region = atlas.region(span).ok_or(Error::from(Code::Corrupted))?;
        region.commit_to((offset + size) as usize).ok_or_else(|| refused(size))?;
        segment.next = offset + size;
        Ok(Run { span, offset: offset as u32 })
    }

    /// Bytes of the present segment that are cut: for `check`.
    #[cfg(test)]
    pub(super) fn cut_bytes(&self) -> (u64, u64) {
        let segment = lock(&self.0);
        (segment.next, segment.size)
    }
}

/// Opens the next segment, twice the size of the last; half of that where the system refuses.
fn open(segment: &mut Segment, atlas: &Atlas, alignment: u64) -> bool {
    let mut size = (segment.size * 2).clamp(SEGMENT_MIN, SEGMENT_MAX);
    while size >= SEGMENT_MIN {
        // Aligned so that every run class that shares segments finds its multiple.
        if let Some(region) = Region::reserve(size as usize, alignment.max(SHARED_RUN_MAX) as usize) {
            let Some(span) = atlas.add(region) else { return false };
            *segment = Segment { span: Some(span), next: 0, size };
            return true;
        }
        size /= 2;
    }
    false
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
