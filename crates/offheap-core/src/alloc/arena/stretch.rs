//! Stretches: a piece of the arena that somebody else cuts, position by position, as [`Arena::allocate`] would have.

use super::{Arena, ArenaGrant, POSITION, STAMP, Stay};
use crate::base::sync::Ordering;

impl Arena {
    /// Takes `bytes`, a multiple of the step, off the arena without counting a grant. `None` when they are not free, or
    /// when a rewind is under way.
    #[must_use]
    pub fn take_stretch(&self, bytes: u64) -> Option<ArenaGrant> {
        let top = self.top.load(Ordering::Acquire);
        // Acquire, both: as in `allocate`.
        let level = self.depth.load(Ordering::Acquire);
        let generation = self.generations[level as usize].load(Ordering::Acquire).cast_unsigned();
        let offset = (top & POSITION) << self.step_shift;
        if top & STAMP != 0 || offset > self.total || bytes > self.total - offset {
            return None;
        }
        let moved = top + (bytes >> self.step_shift);
        let taken = self.top.compare_exchange(top, moved, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        taken.then_some(ArenaGrant { offset, size: bytes, stay: Stay { level, generation } })
    }

    /// Whether nothing lies behind a stretch, while the top word is `top`.
    fn is_last(&self, stretch: ArenaGrant, top: u64) -> bool {
        let end = (stretch.offset + stretch.size) >> self.step_shift;
        // A mark that was set at its end needs the position to stay there.
        let is_newest = self.depth.load(Ordering::Acquire) == stretch.stay.level;
        top & STAMP == 0 && top & POSITION == end && is_newest && self.is_live(stretch.stay)
    }

    /// Bytes of a stretch that [`Arena::give_rest`] would give back.
    #[must_use]
    pub fn rest_bytes(&self, stretch: ArenaGrant, used_bytes: u64) -> u64 {
        let is_last = self.is_last(stretch, self.top.load(Ordering::Acquire));
        if is_last { stretch.size.saturating_sub(used_bytes) } else { 0 }
    }

    /// Gives back what of a stretch was not cut, from `used_bytes` on, if nothing lies behind it. Whether it did.
    pub fn give_rest(&self, stretch: ArenaGrant, used_bytes: u64) -> bool {
        let top = self.top.load(Ordering::Acquire);
        if !self.is_last(stretch, top) {
            return false;
        }
        let from = (stretch.offset + used_bytes.min(stretch.size)) >> self.step_shift;
        // A mark or a rewind since would have changed the stamp.
        let back = (top & !POSITION) | from;
        self.top.compare_exchange(top, back, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The unit of every position, in bytes; a power of two.
    #[must_use]
    pub const fn step_bytes(&self) -> u64 {
        self.step
    }

    /// The size of the region, in bytes.
    #[must_use]
    pub const fn total_bytes(&self) -> u64 {
        self.total
    }
}
