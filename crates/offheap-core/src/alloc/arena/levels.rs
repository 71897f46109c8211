//! Levels: what marks open, and rewinds and resets end.

use super::{Arena, LEVELS_MAX, Mark, POSITION, SERIALS, STAMP};
use crate::alloc::strategy::no_memory;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{MutexGuard, Ordering, lock};

/// A level, as the lock protects it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) base: u64, // position at which it began
    pub(super) serial: u64,
    pub(super) start: Count, // what had been granted, and not been ended by a rewind, when it began
}

/// Grants and the bytes that they asked for.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Count {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

impl Count {
    pub(super) const fn less(self, other: Self) -> Self {
        Self {
            blocks: self.blocks.saturating_sub(other.blocks),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

#[derive(Debug)]
pub(super) struct Levels {
    pub(super) open: Vec<Level>, // never empty
    pub(super) reached: u64,     // the furthest position whose pages may be in use
    pub(super) ended: Count,     // of all that was ever granted, what rewinds and resets ended
}

impl Arena {
    /// Remembers the present position.
    ///
    /// # Errors
    /// [`Code::RegionFull`] with [`LEVELS_MAX`] marks alive.
    pub fn mark(&self) -> Result<Mark> {
        let mut levels = lock(&self.levels);
        let position = self.stop();
        let result = self.push(&mut levels, position);
        self.go(position);
        result
    }

    fn push(&self, levels: &mut MutexGuard<'_, Levels>, position: u64) -> Result<Mark> {
        let depth = levels.open.len() - 1;
        let newest = levels.open[depth];
        if newest.base == position {
            return Ok(Mark { level: depth as u32, serial: newest.serial }); // nothing since the last mark
        }
        if levels.open.len() == LEVELS_MAX {
            return Err(Error::new(Code::RegionFull, LEVELS_MAX as u64 + 1, LEVELS_MAX as u64));
        }
        levels.open.try_reserve(1).map_err(|_| no_memory(size_of::<Level>() as u64))?;
        let serial = SERIALS.fetch_add(1, Ordering::Relaxed);
        let start = self.granted().less(levels.ended);
        levels.open.push(Level { base: position, serial, start });
        self.depth.store(depth as u32 + 1, Ordering::Release);
        Ok(Mark { level: depth as u32 + 1, serial })
    }

    /// Ends everything that was granted since a mark. The mark stays good. `ended` is called when it has ended, before
    /// anybody is granted its memory.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] for a mark of another arena, or from before a reset or an earlier rewind.
    pub fn rewind(&self, mark: Mark, ended: &dyn Fn()) -> Result<()> {
        let mut levels = lock(&self.levels);
        let level = levels.open.get(mark.level as usize).filter(|level| level.serial == mark.serial);
        let base = level.ok_or(Error::from(Code::InvalidValue))?.base;
        self.go_back(&mut levels, mark.level as usize, base, ended);
        Ok(())
    }

    /// Whether `rewind` would take this mark now.
    #[must_use]
    pub fn has_mark(&self, mark: Mark) -> bool {
        lock(&self.levels).open.get(mark.level as usize).is_some_and(|level| level.serial == mark.serial)
    }

    /// Ends everything, marks included; `ended` as of [`Arena::rewind`].
    pub fn reset(&self, ended: &dyn Fn()) {
        let mut levels = lock(&self.levels);
        self.go_back(&mut levels, 0, 0, ended);
        levels.open[0].serial = SERIALS.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the levels from `level` on and stands at `base` again, in an empty `level`.
    fn go_back(&self, levels: &mut MutexGuard<'_, Levels>, level: usize, base: u64, ended: &dyn Fn()) {
        let position = self.stop();
        levels.reached = levels.reached.max(position);
        for over in level..levels.open.len() {
            let generation = self.generations[over].load(Ordering::Relaxed);
            self.generations[over].store(generation.wrapping_add(1), Ordering::Release);
            self.freed[2 * over].store(0, Ordering::Relaxed);
            self.freed[2 * over + 1].store(0, Ordering::Relaxed);
        }
        levels.ended = self.granted().less(levels.open[level].start);
        levels.open.truncate(level + 1);
        self.depth.store(level as u32, Ordering::Release);
        ended();
        self.go(base);
    }

    /// Makes allocations wait; the caller holds the lock. Returns the position.
    pub(super) fn stop(&self) -> u64 {
        self.top.fetch_add(STAMP, Ordering::AcqRel) & POSITION
    }

    /// Lets allocations go on from `position`.
    pub(super) fn go(&self, position: u64) {
        let stamp = self.top.load(Ordering::Relaxed) & !POSITION;
        self.top.store(stamp.wrapping_add(STAMP) | position, Ordering::Release);
    }
}
