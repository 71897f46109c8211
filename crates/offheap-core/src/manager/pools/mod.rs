//! Pools: blocks of one size that an isolate keeps ready. A pool's block belongs to it until it is
//! released, and to nobody else's free; what its owner did not view is the next to be handed out again,
//! what was viewed waits first in, first out.

mod front;

use super::{Isolate, Request};
use crate::alloc::chunks::classes;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{AtomicU32, Mutex, Ordering, lock};
use crate::ops;
use crate::tracker::state::{Handle, Owner, Slot, State};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many viewed blocks, or bytes of them, wait before the oldest is handed out again, if the pool keeps
/// so many: as in the quarantine of the chunks.
const VIEWED_MIN: usize = 256;
const VIEWED_BYTES_MIN: u64 = 8 << 20;

/// What a pool is made of.
#[derive(Debug, Clone, Copy)]
pub struct PoolMeasures {
    /// What each block is.
    pub request: Request,
    /// Idle blocks that it keeps, at most.
    pub idle_max: u64,
    /// Blocks in use, at most.
    pub limit: u64,
    /// Whether a released block's bytes are zeroed.
    pub zero_on_release: bool,
}

/// A pool at one moment. Hits and misses together are the successful acquires.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Idle blocks.
    pub available: u64,
    /// Blocks in use.
    pub in_use: u64,
    /// Acquires that an idle block served.
    pub hits: u64,
    /// Acquires that took new memory.
    pub misses: u64,
}

/// One isolate's pool.
#[derive(Debug)]
pub(super) struct Pool {
    measures: PoolMeasures,
    class: u8,
    fresh: Vec<Slot>,        // idle, not viewed by their last owners
    viewed: VecDeque<Slot>,  // the other idle ones, the oldest first
    magazine: Option<usize>, // of blocks that JavaScript hands out and takes back
    is_gated: bool,          // what is released comes here, since somebody waits for it
    in_use: u64,             // without those of the magazine; so the next two
    hits: u64,
    misses: u64,
    lent_misses: u64, // of these, so many count as taken out of the magazine
    is_closed: bool,  // it is kept until its last block in use is gone
}

impl Pool {
    /// The next idle block to hand out.
    fn take(&mut self) -> Option<Slot> {
        if let Some(slot) = self.fresh.pop() {
            return Some(slot);
        }
        let bytes = self.viewed.len() as u64 * self.measures.request.size;
        let kept = self.viewed.len() as u64 >= self.measures.idle_max;
        let waited = kept || self.viewed.len() >= VIEWED_MIN || bytes >= VIEWED_BYTES_MIN;
        if waited { self.viewed.pop_front() } else { None }
    }
}

/// An isolate's pools by number. A tree, not a hash table: of a few entries one is found in a quarter of the time.
pub(super) type Pools = BTreeMap<u32, Pool>;

/// The pools of the process by number, for reports: whose they are, and their names.
#[derive(Debug, Default)]
pub struct PoolNames {
    next: AtomicU32,
    all: Mutex<HashMap<u32, PoolName>>,
}

#[derive(Debug)]
struct PoolName {
    isolate: u32,
    name: Box<str>,
    is_closed: bool,
}

impl PoolNames {
    fn add(&self, isolate: u32, name: &str) -> u32 {
        let mut all = lock(&self.all);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed) & Owner::NUMBER_MAX;
            if let Entry::Vacant(place) = all.entry(number) {
                place.insert(PoolName { isolate, name: name.into(), is_closed: false });
                return number;
            }
        }
    }

    /// The name of a pool; `None` when it is no more.
    #[must_use]
    pub fn name(&self, number: u32) -> Option<Box<str>> {
        lock(&self.all).get(&number).map(|pool| pool.name.clone())
    }

    /// The isolate that holds a block: its owner, or its pool's.
    #[must_use]
    pub fn isolate_of(&self, owner: Owner) -> u32 {
        if owner.kind() != Owner::POOL {
            return owner.number();
        }
        lock(&self.all).get(&owner.number()).map_or(0, |pool| pool.isolate)
    }

    /// Whether a block's pool is closed: then it is its holder's alone.
    #[must_use]
    pub fn is_closed(&self, owner: Owner) -> bool {
        owner.kind() == Owner::POOL && lock(&self.all).get(&owner.number()).is_none_or(|pool| pool.is_closed)
    }
}

impl Isolate {
    /// Opens a pool. `name` is for reports.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for size 0; [`Code::OutOfMemory`] for a size that no chunk has.
    pub fn open_pool(&self, name: &str, measures: PoolMeasures) -> Result<u32> {
        let class = measures.request.class()?;
        let number = self.manager.pools.add(self.number, name);
        let pool = Pool {
            measures,
            class,
            fresh: Vec::new(),
            viewed: VecDeque::new(),
            magazine: self.magazine_for(&measures),
            is_gated: false,
            in_use: 0,
            hits: 0,
            misses: 0,
            lent_misses: 0,
            is_closed: false,
        };
        self.pools.borrow_mut().insert(number, pool);
        Ok(number)
    }

    /// Hands out a block of a pool.
    ///
    /// # Errors
    /// [`Code::Limit`] without numbers at the pool's own limit, with bytes at the process's;
    /// [`Code::OutOfMemory`]; [`Code::Closed`].
    pub fn acquire(&self, number: u32) -> Result<Handle> {
        let mut pools = self.pools.borrow_mut();
        let pool = open(&mut pools, number)?;
        let PoolMeasures { request, limit, zero_on_release, .. } = pool.measures;
        if self.in_use(pool) >= limit {
            return Err(Code::Limit.into());
        }
        let admission = self.manager.admit(request.size)?;
        let lent = pool.magazine.and_then(|magazine| self.take_idle(magazine));
        let mut idle = lent.or_else(|| pool.take());
        let slot = match idle {
            Some(slot) => slot,
            None => self.take_for(pool).or_else(|error| {
                idle = pool.viewed.pop_front(); // better early than never
                idle.ok_or(error)
            })?,
        };
        if let Some(handle) = self.hand_out_lent(number, pool, slot, idle.is_some()) {
            return Ok(handle);
        }
        // What was never viewed is as it was left: zero, if released blocks are zeroed. Something may have come late
        // to the rest, through a view that is dead by now.
        let was_viewed = idle.is_some() && self.was_ever_viewed(slot);
        if was_viewed && (request.zeroed || zero_on_release) {
            self.wipe(slot);
        }
        let zeroed = request.zeroed && (idle.is_none() || !(was_viewed || zero_on_release));
        let handle = self.begin(slot, Request { zeroed, ..request }, Owner::pool(number))?;
        self.counter.allocated(request.size);
        pool.in_use += 1;
        if idle.is_some() {
            pool.hits += 1;
        } else {
            pool.misses += 1;
        }
        drop(admission);
        self.tune(pool);
        Ok(handle)
    }

    /// Takes a block back to its pool, or frees it when the pool is closed.
    ///
    /// # Errors
    /// [`Code::ForeignBlock`] for a live block of another owner; [`Code::DoubleFree`]; [`Code::InUse`] while
    /// pinned.
    pub fn release(&self, number: u32, handle: Handle) -> Result<()> {
        if self.release_lent(number, handle) {
            return Ok(());
        }
        let record = self.own_record(handle)?;
        if !record.is_live(handle.generation) {
            return Err(Code::DoubleFree.into());
        }
        let owner = record.origin().owner;
        if owner != Owner::pool(number) {
            return Err(Code::ForeignBlock.into());
        }
        if !self.pools.borrow().contains_key(&number) {
            return Err(Code::WrongThread.into());
        }
        let before = self.end(&record, handle, 0)?;
        let size = record.extent().size;
        self.uncount(before, size);
        let was_viewed = self.was_viewed(handle, before);
        let shared = before.has(State::SHARED); // it leaves the pool, and its bytes are others' too
        let kept = self.leave_pool(number, |pool| {
            if shared {
                // neither zeroed nor kept
            } else if pool.measures.zero_on_release && was_viewed {
                self.wipe(handle.slot); // its buffer showed the whole chunk
            } else if pool.measures.zero_on_release
                && let Ok(bytes) = self.whole(&record, size)
            {
                ops::fill(bytes, 0);
            }
            let keeps = !shared && !pool.is_closed && self.idle(pool) < pool.measures.idle_max;
            if keeps && was_viewed {
                pool.viewed.push_back(handle.slot);
            } else if keeps {
                pool.fresh.push(handle.slot);
            }
            self.tune(pool);
            keeps
        });
        if kept != Some(true) {
            self.put(handle.slot, record.place().class, before);
        }
        Ok(())
    }

    fn was_ever_viewed(&self, slot: Slot) -> bool {
        let record = self.manager.tracker.shared(slot);
        record.is_some_and(|record| record.state().has(State::EVER_VIEWED))
    }

    /// Zeroes a chunk as a whole.
    pub(super) fn wipe(&self, slot: Slot) {
        let Some(record) = self.manager.tracker.shared(slot) else { return };
        if let Ok(bytes) = self.whole(&record, classes::size_of(record.place().class)) {
            ops::fill(bytes, 0);
        }
    }

    /// A block of a pool stays with whoever has its buffer, or sees it after the isolate's end. `shared`: its bytes are
    /// others' too.
    pub(super) fn lose_pooled(&self, number: u32, slot: Slot, shared: bool) {
        let wipes = self.leave_pool(number, |pool| pool.measures.zero_on_release) == Some(true);
        if wipes && !shared {
            self.unwiped.borrow_mut().insert(slot);
        }
    }

    /// One block of a pool is in use no more.
    pub(super) fn leave_pool<T>(&self, number: u32, act: impl FnOnce(&mut Pool) -> T) -> Option<T> {
        let mut pools = self.pools.borrow_mut();
        let pool = pools.get_mut(&number)?;
        pool.in_use = pool.in_use.saturating_sub(1);
        let result = act(pool);
        if pool.is_closed && self.in_use(pool) == 0 {
            self.forget_pool(&mut pools, number);
        }
        Some(result)
    }

    /// Gives a pool's idle blocks back.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn clear_pool(&self, number: u32) -> Result<()> {
        let idle: Vec<Slot> = {
            let mut pools = self.pools.borrow_mut();
            let pool = open(&mut pools, number)?;
            if let Some(magazine) = pool.magazine {
                self.spill(magazine, usize::MAX, 0);
            }
            let idle = pool.fresh.drain(..).chain(pool.viewed.drain(..)).collect();
            self.tune(pool);
            idle
        };
        for slot in idle {
            if let Some(record) = self.manager.tracker.shared(slot) {
                self.put(slot, record.place().class, record.state());
            }
        }
        Ok(())
    }

    /// Closes a pool: idle blocks go back, those in use stay with their owners.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn close_pool(&self, number: u32) -> Result<()> {
        self.clear_pool(number)?;
        let mut pools = self.pools.borrow_mut();
        let pool = open(&mut pools, number)?;
        pool.is_closed = true;
        self.tune(pool);
        if let Some(name) = lock(&self.manager.pools.all).get_mut(&number) {
            name.is_closed = true;
        }
        if self.in_use(pool) == 0 {
            self.forget_pool(&mut pools, number);
        }
        Ok(())
    }

    /// How a pool is used.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn pool_stats(&self, number: u32) -> Result<PoolStats> {
        let mut pools = self.pools.borrow_mut();
        let pool = open(&mut pools, number)?;
        let hits =
            pool.hits + pool.magazine.map_or(0, |magazine| self.table.taken_of(magazine)) - pool.lent_misses;
        Ok(PoolStats { available: self.idle(pool), in_use: self.in_use(pool), hits, misses: pool.misses })
    }

    /// Whether a block is this isolate's, by itself or through one of its pools.
    pub(super) fn is_mine(&self, owner: Owner) -> bool {
        owner == Owner::block(self.number)
            || (owner.kind() == Owner::POOL && self.pools.borrow().contains_key(&owner.number()))
    }

    /// Whether a block is with a pool that is open.
    pub(super) fn is_pooled(&self, owner: Owner) -> bool {
        let pools = self.pools.borrow();
        owner.kind() == Owner::POOL && pools.get(&owner.number()).is_none_or(|pool| !pool.is_closed)
    }

    /// The isolate has ended: its pools' idle blocks go back.
    pub(super) fn leave_pools(&self) {
        let numbers: Vec<u32> = self.pools.borrow().keys().copied().collect();
        for number in numbers {
            let _ = self.close_pool(number);
            self.pools.borrow_mut().remove(&number);
            lock(&self.manager.pools.all).remove(&number);
        }
    }
}

fn open(pools: &mut Pools, number: u32) -> Result<&mut Pool> {
    pools.get_mut(&number).filter(|pool| !pool.is_closed).ok_or(Error::from(Code::Closed))
}
