//! One isolate's cache of free chunks. Used by one thread; refills and spills move whole chains.

use super::classes;
use super::quarantine::Quarantine;
use super::store::{Chunks, IDLE_RUN_BYTES_MAX};
use crate::base::error::{Code, Error, Result};
use crate::tracker::magazine::MAGAZINE_SLOTS;
use crate::tracker::stack::Links;
use crate::tracker::state::{Slot, State};
use crate::tracker::table::Tracker;

/// Most chunks of a class that wait in the cache, and most bytes of them: a cache must not hoard
/// what other isolates could use.
const CHUNKS_MAX: u64 = MAGAZINE_SLOTS as u64;
const BYTES_MAX: u64 = 1 << 20;

/// Free chunks of one class.
#[derive(Debug, Default)]
struct List {
    fresh: Vec<Slot>,  // never viewed: may go to any isolate
    viewed: Vec<Slot>, // out of quarantine; this isolate keeps their buffers, so they stay here while it lives
    cold: usize,       // so many of the viewed, from the oldest on, gave their pages back
}

/// So many idle bytes more or less may go untold: an addition that all threads share costs 7 ns.
const IDLE_UNTOLD_MAX: u64 = 2 << 20;

/// The cache.
#[derive(Debug)]
pub struct Cache {
    lists: Box<[List]>,
    quarantine: Quarantine,
    idle: i64, // bytes of idle runs that came (or went) since the store was told
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            lists: (0..classes::COUNT).map(|_| List::default()).collect(),
            quarantine: Quarantine::default(),
            idle: 0,
        }
    }
}

/// How many never-viewed chunks of each class may wait here; computed once, a division costs more
/// than all the rest of a free.
const CAPACITY: [u8; classes::COUNT] = {
    let mut capacity = [2; classes::COUNT];
    let mut class = 0;
    while class < classes::COUNT {
        let fit = BYTES_MAX / classes::size_of(class as u8);
        if fit > 2 {
            capacity[class] = if fit > CHUNKS_MAX { CHUNKS_MAX as u8 } else { fit as u8 };
        }
        class += 1;
    }
    capacity
};

/// How many never-viewed chunks of a class one isolate may keep in one place.
#[must_use]
pub fn capacity(class: u8) -> usize {
    usize::from(CAPACITY[usize::from(class)])
}

impl Cache {
    /// Takes a free chunk: the newest never viewed, else the newest viewed one of this isolate,
    /// else one that another isolate gave back, else a new one; when there is no memory for one, the
    /// oldest that waits in quarantine.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn take(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8) -> Result<Slot> {
        self.take_waited(chunks, tracker, class).or_else(|error| {
            let slot = self.reissue(chunks, class).ok_or(error)?;
            self.leaves(chunks, tracker, slot, class);
            Ok(slot)
        })
    }

    /// The same, but nothing that still waits in quarantine.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    #[inline]
    pub fn take_waited(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8) -> Result<Slot> {
        let slot = self.find(chunks, tracker, class)?;
        self.leaves(chunks, tracker, slot, class);
        Ok(slot)
    }

    /// A chunk that was taken is idle no more.
    fn leaves(&mut self, chunks: &Chunks, tracker: &Tracker, slot: Slot, class: u8) {
        if classes::is_run(class) {
            self.count_idle(chunks, -chunks.run_leaves(tracker, slot, class));
        }
    }

    /// Counts idle bytes that come or go.
    #[inline]
    fn count_idle(&mut self, chunks: &Chunks, bytes: i64) {
        self.idle += bytes;
        if self.idle.unsigned_abs() > IDLE_UNTOLD_MAX {
            self.tell(chunks);
        }
    }

    /// Tells the store what was counted here.
    fn tell(&mut self, chunks: &Chunks) {
        chunks.tell_idle(self.idle);
        self.idle = 0;
    }

    #[inline]
    fn find(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8) -> Result<Slot> {
        let list = &mut self.lists[usize::from(class)];
        if let Some(slot) = list.fresh.pop() {
            return Ok(slot);
        }
        if let Some(slot) = list.viewed.pop() {
            list.cold = list.cold.min(list.viewed.len()); // it has pages when it comes back
            return Ok(slot);
        }
        self.renew(chunks, tracker, class)
    }

    /// Takes chunks that no isolate caches, or new ones.
    fn renew(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8) -> Result<Slot> {
        let list = &mut self.lists[usize::from(class)];
        let most = (capacity(class) / 2).max(1) as u32;
        let chain = match chunks.pop(tracker, class, most) {
            Some(chain) => chain,
            None => chunks.cut(tracker, class, most)?,
        };
        tracker.walk(chain, |slot| list.fresh.push(slot));
        list.fresh.reverse(); // the chain's first on top: lowest addresses first
        list.fresh.pop().ok_or(Error::from(Code::Corrupted))
    }

    /// Takes up to `most` free chunks that were never viewed, the next to be handed out last, if the next is `fit`.
    /// `spares`: none while one waits here whose buffer is kept, which is to be used before new memory is.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn take_fresh(
        &mut self,
        chunks: &Chunks,
        tracker: &Tracker,
        class: u8,
        most: usize,
        spares: bool,
        fit: impl Fn(Slot) -> bool,
    ) -> Result<Vec<Slot>> {
        let list = &mut self.lists[usize::from(class)];
        if list.fresh.is_empty() {
            if spares && !list.viewed.is_empty() {
                return Ok(Vec::new());
            }
            let first = self.renew(chunks, tracker, class)?;
            self.lists[usize::from(class)].fresh.push(first);
        }
        let fresh = &mut self.lists[usize::from(class)].fresh;
        if !fresh.last().is_some_and(|slot| fit(*slot)) {
            return Ok(Vec::new());
        }
        let taken = fresh.split_off(fresh.len().saturating_sub(most));
        for slot in &taken {
            self.leaves(chunks, tracker, *slot, class);
        }
        Ok(taken)
    }

    /// Takes a chunk back that was not handed out.
    pub fn keep(&mut self, class: u8, slot: Slot) {
        self.lists[usize::from(class)].fresh.push(slot);
    }

    /// The oldest chunk of a class that waits in quarantine: better early than never.
    #[cold]
    pub(super) fn reissue(&mut self, chunks: &Chunks, class: u8) -> Option<Slot> {
        self.quarantine.take(class).or_else(|| chunks.left().take(class))
    }

    /// Puts a freed chunk back. `state` is what its record said when it ended.
    pub fn put(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8, slot: Slot, state: State) {
        self.comes(chunks, tracker, slot, class);
        if state.has(State::EVER_VIEWED) {
            self.hold_back(chunks, tracker, class, slot);
            return;
        }
        let list = &mut self.lists[usize::from(class)];
        list.fresh.push(slot);
        let capacity = capacity(class);
        if list.fresh.len() > capacity {
            // The older half goes; the newer one is warm.
            let spilled: Vec<Slot> = list.fresh.drain(..capacity.div_ceil(2)).collect();
            if let Some(chain) = tracker.chain(&spilled) {
                chunks.push(tracker, class, chain);
            }
        }
    }

    /// Puts back a freed chunk that several isolates viewed: it waits with what ended ones left, and is then anybody's.
    pub fn put_common(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8, slot: Slot) {
        self.comes(chunks, tracker, slot, class);
        chunks.hold_back(tracker, class, slot);
    }

    /// A chunk that was freed is idle.
    #[inline]
    fn comes(&mut self, chunks: &Chunks, tracker: &Tracker, slot: Slot, class: u8) {
        if classes::is_run(class) {
            self.count_idle(chunks, classes::size_of(class).cast_signed());
            if chunks.idle_run_bytes() + self.idle > IDLE_RUN_BYTES_MAX {
                self.cool(chunks, tracker, class, slot);
            }
        }
    }

    /// Lets a chunk that was ever viewed wait; those that waited long enough may be handed out again.
    fn hold_back(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8, slot: Slot) {
        self.quarantine.push(chunks.waiting(tracker, class, slot));
        while let Some(done) = self.quarantine.pop_surplus() {
            self.lists[usize::from(done.class)].viewed.push(done.slot);
        }
    }

    /// Bytes that wait in quarantine.
    #[must_use]
    pub const fn quarantined_bytes(&self) -> u64 {
        self.quarantine.bytes()
    }

    /// Too many idle runs have their pages: the coldest of this class gives its own back, and the
    /// one that just came, which the next request gets, only when there is no other.
    #[cold]
    fn cool(&mut self, chunks: &Chunks, tracker: &Tracker, class: u8, newest: Slot) {
        let list = &mut self.lists[usize::from(class)];
        let has_pages = |slot: &&Slot| {
            tracker.shared(**slot).is_some_and(|record| !record.state().has(State::DECOMMITTED))
        };
        list.cold += list.viewed[list.cold..].iter().take_while(|slot| !has_pages(slot)).count();
        let coldest = list.viewed.get(list.cold).or_else(|| list.fresh.iter().find(has_pages));
        chunks.decommit_run(tracker, coldest.copied().unwrap_or(newest), class);
    }

    /// Gives every never-viewed chunk to the shared stacks.
    pub fn spill(&mut self, chunks: &Chunks, tracker: &Tracker) {
        self.tell(chunks);
        for (class, list) in self.lists.iter_mut().enumerate() {
            if let Some(chain) = tracker.chain(&list.fresh) {
                chunks.push(tracker, class as u8, chain);
                list.fresh.clear();
            }
        }
    }

    /// Gives everything, when the isolate ends: its kept buffers die with it, and no script of it
    /// can look at an idle chunk any more.
    pub fn dissolve(&mut self, chunks: &Chunks, tracker: &Tracker) {
        for list in &mut self.lists {
            list.fresh.append(&mut list.viewed);
            list.cold = 0;
        }
        self.spill(chunks, tracker);
        chunks.leave(tracker, &mut self.quarantine);
    }

    /// The viewed chunks of a class, waiting or not, for `trim`.
    pub(super) fn viewed(&self, class: u8) -> impl Iterator<Item = Slot> + '_ {
        self.lists[usize::from(class)].viewed.iter().copied().chain(self.quarantine.of_class(class))
    }

    /// What waits in quarantine gave its pages back.
    pub(super) fn unpaged(&mut self) {
        self.quarantine.unpaged();
    }

    /// Idle bytes that the store was not told of.
    #[cfg(test)]
    pub(super) const fn untold_idle(&self) -> i64 {
        self.idle
    }

    /// Ends the waiting of every chunk in quarantine, as later frees would.
    #[cfg(test)]
    pub(super) fn release(&mut self) {
        while let Some(done) = self.quarantine.pop() {
            self.lists[usize::from(done.class)].viewed.push(done.slot);
        }
    }

    /// Checks every waiting chunk and gives them all.
    #[cfg(test)]
    pub(super) fn check(&self, tracker: &Tracker) -> Vec<Slot> {
        for (class, list) in self.lists.iter().enumerate() {
            assert!(list.fresh.len() <= capacity(class as u8));
            let cold = list.viewed.get(..list.cold).expect("more are cold than there are");
            let has_pages = |slot: &Slot| !tracker.shared(*slot).unwrap().state().has(State::DECOMMITTED);
            assert!(!cold.iter().any(has_pages), "a cold one has its pages");
            for (slots, viewed) in [(&list.fresh, false), (&list.viewed, true)] {
                for slot in slots {
                    let record = tracker.shared(*slot).unwrap();
                    assert!(!record.state().generation().is_live(), "a cached chunk is live");
                    assert_eq!(usize::from(record.place().class), class);
                    if viewed {
                        assert!(record.state().has(State::EVER_VIEWED));
                    }
                }
            }
        }
        let waiting = self.quarantine.check();
        for (slot, class) in &waiting {
            let record = tracker.shared(*slot).unwrap();
            assert!(!record.state().generation().is_live() && record.state().has(State::EVER_VIEWED));
            assert_eq!(record.place().class, *class);
        }
        let listed = self.lists.iter().flat_map(|list| list.fresh.iter().chain(&list.viewed)).copied();
        listed.chain(waiting.into_iter().map(|(slot, _)| slot)).collect()
    }
}
