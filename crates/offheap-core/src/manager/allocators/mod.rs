//! Allocators: named regions, one per name and process, each cut by one strategy.
//!
//! Every grant but an arena's has a record, which decides about its end: one `end` wins, and only then
//! the strategy hears of it. An arena has one record for itself, which carries its pins.
//!
//! A region is never unmapped, nor cut by two strategies: an old view of it, or a thread that was
//! about to allocate when it was closed, may still be there. A closed one waits, without its pages,
//! for the next allocator of the same measures.

mod ending;
mod grants;
mod ground;
mod lending;
mod lying;
mod places;
mod recall;
mod refill;
mod rings;
mod rows;
mod sight;
mod sole;
mod stock;
mod stretch;
#[cfg(test)]
mod tests;
mod waiting;

pub use grants::{Door, Taken};
pub use rows::AllocatorStats;

use super::{Isolate, Manager};
use crate::alloc::strategy::TOTAL_MAX;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, AtomicBool, AtomicI32, AtomicU64, Mutex, OnceLock, Ordering, lock, sized};
use crate::raw;
use crate::raw::bytes::Bytes;
use crate::raw::words;
use crate::tracker::counters::Counters;
use crate::tracker::state::{AlignmentCode, Handle};
use ground::Ground;
use sight::Sight;
pub(super) use sole::Busy;
use sole::Sole;
#[doc(hidden)]
pub use sole::assume_fence;
use std::collections::HashMap;

/// How a region is cut; the numbers cross the native boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Powers of two.
    Buddy = 0,
    /// Size classes in spans.
    Slab = 1,
    /// A position that only moves forward.
    Arena = 2,
    /// A circle.
    Ring = 3,
    /// Free stacks of equal slots.
    ObjectPool = 4,
    /// Slab and segregated fit.
    Hybrid = 5,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Buddy, Self::Slab, Self::Arena, Self::Ring, Self::ObjectPool, Self::Hybrid];
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    /// How the region is cut.
    pub kind: Kind,
    /// Its size in bytes.
    pub total: u64,
    /// Of every address that it gives.
    pub alignment: AlignmentCode,
    /// Whether a full ring ends its oldest grants instead of refusing.
    pub overwrite: bool,
}

impl Measures {
    /// The same, but for how the alignment was named.
    fn same(&self, other: &Self) -> bool {
        (self.kind, self.total, self.overwrite) == (other.kind, other.total, other.overwrite)
            && self.alignment.bytes() == other.alignment.bytes()
    }
}

/// One opening of one allocator. A number is used again when its allocator is closed; the life tells
/// them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllocatorId {
    /// Which place in the epochs.
    pub number: u32,
    /// Which of its openings; odd.
    pub life: u32,
}

/// An allocator.
#[derive(Debug)]
pub struct Allocator {
    /// Its number and life.
    pub id: AllocatorId,
    /// Its name.
    pub name: Box<str>,
    /// What it was opened with.
    pub measures: Measures,
    ground: Arc<Ground>,
    counters: Arc<Counters>,
    closed: AtomicBool,
    ending: Mutex<Option<Handle>>, // held while many grants end at once; an arena's own record
    misses_before: u64,            // of earlier allocators on the same ground
    lent: recall::Lent,
    sole: Sole,
}

/// The most allocators that are open at once.
pub const ALLOCATORS_MAX: usize = sized(1 << 16, 2);
/// The longest name, in bytes: 256 characters of JavaScript take at most three each.
const NAME_BYTES_MAX: usize = 768;
/// Words of an allocator in the epochs: its life, how often it was reset, nothing, and its turn: how often one of these
/// changed, or what was lent of it was recalled.
const EPOCH_WORDS: usize = 4;
/// Epochs stay small integers of JavaScript.
const EPOCH_MASK: i32 = 0x3fff_ffff;

/// All allocators of the process.
#[derive(Debug, Default)]
pub struct Registry {
    state: Mutex<Open>,
    epochs: OnceLock<&'static [AtomicI32]>,
    charged_bytes: AtomicU64,
    committed_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    names: HashMap<Box<str>, u32>,
    numbers: Vec<Option<Arc<Allocator>>>,
    idle_numbers: Vec<u32>,
    idle_grounds: Vec<Arc<Ground>>,
    sights: HashMap<AllocatorId, Sight>,
}

impl Registry {
    /// Bytes of all open regions: they count against the limit.
    #[must_use]
    pub fn charged_bytes(&self) -> u64 {
        self.charged_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of regions held from the system: of open ones, and of closed ones until their pages have gone back, which
    /// is when nobody sees them any more. What somebody may see for good counts for ever.
    #[must_use]
    pub fn committed_bytes(&self) -> u64 {
        self.committed_bytes.load(Ordering::Relaxed)
    }

    /// The epoch words, four for each number: its life (odd while it is open), its resets, nothing, its turn. For the view
    /// through which every isolate sees them without a call.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn epochs(&self) -> Result<Bytes<'static>> {
        self.epoch_words().map(words::bytes_of_i32)
    }

    fn epoch_words(&self) -> Result<&'static [AtomicI32]> {
        if let Some(epochs) = self.epochs.get() {
            return Ok(epochs);
        }
        let count = EPOCH_WORDS * ALLOCATORS_MAX;
        let fresh = words::zeroed_i32(count).ok_or_else(|| out_of_memory(4 * count as u64))?;
        Ok(self.epochs.get_or_init(|| fresh))
    }

    /// An epoch word, as JavaScript reads it: of a model's atomics nothing can be read as bytes, and to ThreadSanitizer
    /// that would be a race.
    #[cfg(any(loom, offheap_tsan))]
    #[must_use]
    pub fn epoch(&self, word: usize) -> i32 {
        self.epochs.get().map_or(0, |epochs| epochs[word].load(Ordering::Relaxed))
    }

    /// Adds one to an epoch word and gives the new value.
    fn bump(&self, word: usize) -> u32 {
        let Some(epochs) = self.epochs.get() else { return 0 };
        let next = |now: i32| now.wrapping_add(1) & EPOCH_MASK;
        // Release: what led to it happens before who sees it. JavaScript may write the words, so any may come.
        let before = epochs[word].fetch_update(Ordering::Release, Ordering::Relaxed, |now| Some(next(now)));
        next(before.unwrap_or_else(|now| now)).cast_unsigned()
    }

    fn bump_life(&self, number: u32) -> u32 {
        let life = self.bump(EPOCH_WORDS * number as usize);
        self.bump_turn(number);
        life
    }

    /// Tells that an allocator is reset, or closed.
    fn tell_ended(&self, number: u32, closes: bool) {
        self.bump(EPOCH_WORDS * number as usize + 1);
        if closes {
            self.bump_life(number);
        } else {
            self.bump_turn(number);
        }
    }

    /// Something of the other words has changed: who looks at this one alone looks at them.
    fn bump_turn(&self, number: u32) {
        self.bump(EPOCH_WORDS * number as usize + 3);
    }

    /// The turn that an allocator is in; it changes with every recall, under the lock of its loans.
    fn turn_of(&self, number: u32) -> i32 {
        self.epochs
            .get()
            .map_or(0, |epochs| epochs[EPOCH_WORDS * number as usize + 3].load(Ordering::Relaxed))
    }

    /// An open allocator.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn get(&self, id: AllocatorId) -> Result<Arc<Allocator>> {
        let open = lock(&self.state);
        let found = open.numbers.get(id.number as usize).and_then(Option::as_ref);
        found.filter(|allocator| allocator.id == id).map(Arc::clone).ok_or(Error::from(Code::Closed))
    }

    /// All open allocators, by number.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Allocator>> {
        lock(&self.state).numbers.iter().flatten().map(Arc::clone).collect()
    }
}

impl Isolate {
    /// Opens the allocator of a name, or finds it. From then on this isolate may use it.
    ///
    /// # Errors
    /// [`Code::ConfigMismatch`] for other measures under the same name; [`Code::OutOfRange`] for a
    /// total or an alignment that its strategy cannot have; [`Code::InvalidValue`] for a name;
    /// [`Code::Limit`]; [`Code::OutOfMemory`].
    pub fn open_allocator(&self, name: &str, measures: Measures) -> Result<AllocatorId> {
        let alignment = measures.alignment.bytes().ok_or(Error::from(Code::InvalidValue))? as u64;
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Code::InvalidValue.into());
        }
        if measures.total == 0 || alignment > measures.total {
            return Err(Error::new(Code::OutOfRange, alignment.max(1), measures.total));
        }
        let allocator = self.manager.open_allocator(name, measures, alignment, self)?;
        self.attach(&allocator);
        Ok(allocator.id)
    }
}

impl Manager {
    fn open_allocator(
        &'static self,
        name: &str,
        measures: Measures,
        alignment: u64,
        isolate: &Isolate,
    ) -> Result<Arc<Allocator>> {
        if let Some(found) = self.allocators.find(name, &measures)? {
            return Ok(found);
        }
        let admission = self.admit(measures.total)?;
        let mut open = lock(&self.allocators.state);
        if let Some(found) = open.find(name, &measures)? {
            return Ok(found); // another thread opened it meanwhile
        }
        self.allocators.epoch_words()?;
        let number = open.take_number()?;
        let made = self.ground_for(&mut open, &measures, alignment).and_then(|ground| {
            let arena = self.begin_arena(&ground, measures.alignment, isolate.number);
            let arena = arena.inspect_err(|_| open.idle_grounds.push(Arc::clone(&ground)))?;
            Ok((ground, arena))
        });
        let (ground, arena) = made.inspect_err(|_| open.idle_numbers.push(number))?;
        let misses_before = ground.misses();
        let allocator = Arc::new(Allocator {
            id: AllocatorId { number, life: self.allocators.bump_life(number) },
            name: name.into(),
            measures,
            counters: ground.counters(),
            sole: Sole::new(&isolate.busy, !ground.was_shared.load(Ordering::Relaxed)),
            ground,
            closed: AtomicBool::new(false),
            ending: Mutex::new(arena),
            misses_before,
            lent: recall::Lent::default(),
        });
        self.allocators.charged_bytes.fetch_add(measures.total, Ordering::Relaxed);
        self.allocators.committed_bytes.fetch_add(allocator.ground.open(), Ordering::Relaxed);
        open.names.insert(name.into(), number);
        open.numbers[number as usize] = Some(Arc::clone(&allocator));
        sole::promote(&allocator);
        drop(admission);
        Ok(allocator)
    }

    /// A region of these measures: one that waits, if nothing of it is in use any more, or a new one.
    fn ground_for(
        &'static self,
        open: &mut Open,
        measures: &Measures,
        alignment: u64,
    ) -> Result<Arc<Ground>> {
        let fits = |ground: &Arc<Ground>| ground.measures.same(measures) && ground.serves_again();
        if let Some(index) = open.idle_grounds.iter().position(fits) {
            return Ok(open.idle_grounds.swap_remove(index));
        }
        if measures.total > TOTAL_MAX {
            return Err(out_of_memory(measures.total));
        }
        Ground::make(*measures, alignment, &self.chunks.atlas).map(Arc::new)
    }
}

impl Registry {
    fn find(&self, name: &str, measures: &Measures) -> Result<Option<Arc<Allocator>>> {
        lock(&self.state).find(name, measures)
    }
}

impl Open {
    fn is_open(&self, id: AllocatorId) -> bool {
        let found = self.numbers.get(id.number as usize).and_then(Option::as_ref);
        found.is_some_and(|allocator| allocator.id == id)
    }

    /// Users see the region of an open allocator from now on.
    fn note_seen(&self, id: AllocatorId) {
        if let Some(allocator) = self.numbers.get(id.number as usize).and_then(Option::as_ref) {
            allocator.ground.seen.store(true, Ordering::Relaxed); // before they do
        }
    }

    fn find(&self, name: &str, measures: &Measures) -> Result<Option<Arc<Allocator>>> {
        let found = self.names.get(name).and_then(|number| self.numbers[*number as usize].as_ref());
        match found {
            Some(found) if !found.measures.same(measures) => Err(Code::ConfigMismatch.into()),
            found => Ok(found.map(Arc::clone)),
        }
    }

    fn take_number(&mut self) -> Result<u32> {
        if let Some(number) = self.idle_numbers.pop() {
            return Ok(number);
        }
        if self.numbers.len() == ALLOCATORS_MAX {
            return Err(Error::new(Code::OutOfMemory, ALLOCATORS_MAX as u64 + 1, ALLOCATORS_MAX as u64));
        }
        self.numbers.push(None);
        Ok(self.numbers.len() as u32 - 1)
    }
}

fn out_of_memory(bytes: u64) -> Error {
    Error::new(Code::OutOfMemory, bytes, raw::available_bytes())
}
