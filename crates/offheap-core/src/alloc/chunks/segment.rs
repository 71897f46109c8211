//! A range of addresses that is committed and cut from the front, and never cut twice.

use crate::base::error::{Code, Error, Result};
use crate::raw;
use crate::raw::atlas::{Atlas, Span};
use crate::raw::region::Region;

/// The newest one of its kind; those before it belong to what was cut from them.
#[derive(Debug, Default)]
pub(super) struct Segment {
    span: Option<Span>,
    next: u64, // everything before is cut
    size: u64,
}

/// What was just cut: committed, all bytes 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) span: Span,
    pub(super) offset: u64,
    /// Bytes that were not committed before: those of the cut, and what its alignment left out before it.
    pub(super) committed: u64,
}

pub(super) fn refused(size: u64) -> Error {
    Error::new(Code::OutOfMemory, size, raw::available_bytes())
}

impl Segment {
    /// Length in bytes.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Cuts `size` bytes (a page multiple) at a multiple of `alignment`; `None` when not so many are left.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] when the system refuses to commit them; then nothing has changed.
    pub(super) fn cut(&mut self, atlas: &Atlas, size: u64, alignment: u64) -> Result<Option<Cut>> {
        let Some(span) = self.span else { return Ok(None) };
        let offset = self.next.next_multiple_of(alignment);
        if offset + size > self.size {
            return Ok(None);
        }
        let region = atlas.region(span).ok_or(Error::from(Code::Corrupted))?;
        let committed = region.commit_to((offset + size) as usize).ok_or_else(|| refused(size))? as u64;
        self.next = offset + size;
        Ok(Some(Cut { span, offset, committed }))
    }

    /// Goes on in a new range of `size` bytes, or of half of that and so on while `reserve` refuses, but of no less than
    /// `least`. Both are page multiples. False, with nothing changed, when there is none.
    pub(super) fn renew(
        &mut self,
        atlas: &Atlas,
        size: u64,
        least: u64,
        reserve: impl Fn(u64) -> Option<Region>,
    ) -> bool {
        let mut size = size.max(least);
        loop {
            if let Some(region) = reserve(size) {
                let Some(span) = atlas.add(region) else { return false };
                *self = Self { span: Some(span), next: 0, size };
                return true;
            }
            if size == least {
                return false;
            }
            size = (size / 2).max(least);
        }
    }

    /// How many bytes are cut, and of how many: for `check`.
    #[cfg(test)]
    pub(super) const fn cut_bytes(&self) -> (u64, u64) {
        (self.next, self.size)
    }
}
