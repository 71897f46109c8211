//! The words of the small orders, one a page: how a page without a grant changes its owner.

use super::hints::Hints;
use crate::base::sync::{AtomicU64, Ordering};

/// All words, and which of them may be clear.
#[derive(Debug)]
pub(super) struct Pages {
    /// A bit for each smallest block. A page that is free in a shard, or part of a larger grant, reads
    /// all ones.
    pub(super) used: &'static [AtomicU64],
    /// Pages without a grant.
    pub(super) vacant: Hints,
}

impl Pages {
    /// Takes the first blocks of a page on which nothing is granted.
    pub(super) fn take_vacant(&self, page: usize, bits: u64) -> Option<u64> {
        if !self.exchange_vacant(page, bits) {
            self.vacant.clear(page);
            if !self.exchange_vacant(page, bits) {
                return None;
            }
            self.vacant.set(page);
        }
        Some(64 * page as u64)
    }

    /// Takes a page away from the small orders, if nothing is granted on it. Under the lock of the shard
    /// that gets it: so nobody who holds all locks misses it.
    pub(super) fn hand_up(&self, page: usize) -> bool {
        let vacant = self.exchange_vacant(page, !0);
        if vacant {
            self.vacant.clear(page); // nobody can free on it before the lock is given up
        }
        vacant
    }

    fn exchange_vacant(&self, page: usize, bits: u64) -> bool {
        let word = &self.used[page];
        word.load(Ordering::Relaxed) == 0
            && word.compare_exchange(0, bits, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}
