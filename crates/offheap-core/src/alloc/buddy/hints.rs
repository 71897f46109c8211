//! Where to look first: sets of pages that may be wrong for a moment, never for good.

use crate::base::sync::{AtomicU64, Ordering};
use std::ops::Range;

/// One bit for each page that may have what the set is named for. Set after a free; a searcher that
/// finds it wrong clears it and looks once more, so that no free is missed.
#[derive(Debug)]
pub(super) struct Hints {
    pub(super) words: &'static [AtomicU64],
    start: AtomicU64, // where the last search ended well
}

impl Hints {
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self { words, start: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn set(&self, page: usize) {
        let word = &self.words[page / 64];
        if word.load(Ordering::Relaxed) >> (page % 64) & 1 == 0 {
            word.fetch_or(1 << (page % 64), Ordering::AcqRel);
        }
    }

    pub(super) fn clear(&self, page: usize) {
        self.words[page / 64].fetch_and(!(1 << (page % 64)), Ordering::AcqRel);
    }

    /// The hinted of some pages.
    pub(super) fn pages(&self, of: Range<usize>) -> impl Iterator<Item = usize> + use<> {
        let (words, first) = (self.words, of.start / 64);
        let hinted = words[first..of.end.div_ceil(64)].iter().zip(first..).flat_map(|(word, index)| {
            let bits = word.load(Ordering::Relaxed);
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| 64 * index + bit)
        });
        hinted.filter(move |page| of.contains(page))
    }

    /// The first that `take` takes from, of at most `looks` hinted pages.
    #[inline]
    pub(super) fn find<T>(&self, looks: usize, mut take: impl FnMut(usize) -> Option<T>) -> Option<T> {
        let start = self.start.load(Ordering::Relaxed) as usize;
        let mut looked = 0;
        for step in 0..self.words.len() {
            let index =
                if start + step < self.words.len() { start + step } else { start + step - self.words.len() };
            let mut seen = self.words[index].load(Ordering::Relaxed);
            while seen != 0 {
                let page = 64 * index + seen.trailing_zeros() as usize;
                seen &= seen - 1;
                if let Some(taken) = take(page) {
                    if step > 0 {
                        self.start.store(index as u64, Ordering::Relaxed);
                    }
                    return Some(taken);
                }
                looked += 1;
                if looked == looks {
                    return None;
                }
            }
        }
        None
    }
}
