//! Which free pages were given back to the system.

use crate::base::sync::{AtomicBool, AtomicU64, Ordering};

/// One bit for each page that is free and cold. It is set under the lock of whoever has the page free, and
/// cleared by the thread that took it: bits of one page are ordered by those locks. The words are atomic
/// because neighbours may have different owners.
#[derive(Debug)]
pub(super) struct Cold {
    words: &'static [AtomicU64],
    some: AtomicBool, // whether there ever was one: most regions are never trimmed
}

impl Cold {
    /// `words`: a clear bit for each page.
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self { words, some: AtomicBool::new(false) }
    }

    /// The pages of a block were taken: they are about to be touched.
    #[inline]
    pub(super) fn warm(&self, page: usize, pages: usize) {
        if !self.some.load(Ordering::Relaxed) {
            return;
        }
        // A block lies at a multiple of its size: in one word, or all of several.
        let mask = if pages < 64 { ((1 << pages) - 1) << (page % 64) } else { !0 };
        for word in &self.words[page / 64..(page + pages).div_ceil(64)] {
            if word.load(Ordering::Relaxed) & mask != 0 {
                word.fetch_and(!mask, Ordering::Relaxed);
            }
        }
    }

    /// Calls `each` with first page and number of pages of every stretch of a free block that has its
    /// pages; it has none afterwards.
    pub(super) fn cool(&self, page: usize, pages: usize, each: &mut impl FnMut(usize, usize)) {
        let (mut page, end) = (page, page + pages);
        self.some.store(true, Ordering::Relaxed);
        while page < end {
            let from = page;
            while page < end && !self.has(page) {
                self.words[page / 64].fetch_or(1 << (page % 64), Ordering::Relaxed);
                page += 1;
            }
            if page > from {
                each(from, page - from);
            }
            page += 1;
        }
    }

    pub(super) fn has(&self, page: usize) -> bool {
        self.words[page / 64].load(Ordering::Relaxed) >> (page % 64) & 1 == 1
    }
}
