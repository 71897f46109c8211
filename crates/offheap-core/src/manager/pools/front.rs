//! The part of a pool that JavaScript hands out and takes back by itself: blocks that are lent to the pool's magazine.

use super::{Pool, PoolMeasures, Pools};
use crate::base::error::{Code, Result};
use crate::base::sync::lock;
use crate::manager::Isolate;
use crate::ops;
use crate::tracker::lent::Loan;
use crate::tracker::magazine::MAGAZINE_SLOTS;
use crate::tracker::state::{Handle, Owner, Slot, State};

/// The largest blocks that are lent, in bytes. What a native call costs is nothing next to the use of larger ones, and
/// full magazines of them would soon be more than [`crate::manager::front::SWING_MAX`].
const LENT_BYTES_MAX: u64 = 1 << 20;

impl Isolate {
    /// The magazine of a new pool.
    pub(super) fn magazine_for(&self, measures: &PoolMeasures) -> Option<usize> {
        let capacity = measures.idle_max.min(MAGAZINE_SLOTS as u64) as usize;
        if measures.request.size > LENT_BYTES_MAX {
            return None;
        }
        self.open_magazine(capacity, measures.request.size, measures.wipes())
    }

    /// The first word of a pool's magazine; 0 when nothing is lent to it.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn magazine_of(&self, number: u32) -> Result<usize> {
        let pools = self.pools.borrow();
        let pool = pools.get(&number).ok_or(Code::Closed)?;
        Ok(pool.magazine.map_or(0, crate::tracker::isolate::IsolateTable::home_of))
    }

    /// Fills a pool's magazine from what lies behind it. False when there is nothing, or when it may not be used now.
    pub fn refill_pool(&self, number: u32) -> bool {
        let mut pools = self.pools.borrow_mut();
        let Some(pool) = pools.get_mut(&number).filter(|pool| !pool.is_gated && !pool.is_closed) else {
            return false;
        };
        let Some(magazine) = pool.magazine.filter(|_| self.may_lend()) else { return false };
        self.counter.look();
        self.table.note_taken(magazine);
        self.drop_spent(magazine);
        let is_filled = self.table.magazine_length(magazine) > 0
            || self.refill_from_reserve(magazine, MAGAZINE_SLOTS / 2);
        self.tune(pool);
        is_filled
    }

    /// Somebody waits for a block of a pool, or nobody any more: what is released comes to the native side first.
    ///
    /// # Errors
    /// [`Code::Closed`].
    pub fn gate_pool(&self, number: u32, is_gated: bool) -> Result<()> {
        let mut pools = self.pools.borrow_mut();
        let pool = super::open(&mut pools, number)?;
        pool.is_gated = is_gated;
        if let Some(magazine) = pool.magazine.filter(|_| is_gated) {
            self.spill(magazine, MAGAZINE_SLOTS, usize::MAX);
        }
        self.tune(pool);
        Ok(())
    }

    /// Blocks in use.
    pub(super) fn in_use(&self, pool: &Pool) -> u64 {
        pool.in_use + pool.magazine.map_or(0, |magazine| u64::from(self.table.out_of(magazine)))
    }

    /// Idle blocks.
    pub(super) fn idle(&self, pool: &Pool) -> u64 {
        self.behind(pool) + pool.magazine.map_or(0, |magazine| self.table.magazine_length(magazine) as u64)
    }

    /// Idle blocks that are not in the magazine.
    fn behind(&self, pool: &Pool) -> u64 {
        let reserved = pool.magazine.map_or(0, |magazine| self.reserved(magazine));
        (pool.fresh.len() + pool.viewed.len() + reserved) as u64
    }

    /// Tells JavaScript how many blocks it may take back by itself.
    pub(super) fn tune(&self, pool: &Pool) {
        let Some(magazine) = pool.magazine else { return };
        let room = pool.measures.idle_max.saturating_sub(self.behind(pool));
        let is_open = !pool.is_gated && !pool.is_closed;
        self.table.set_capacity(magazine, if is_open { room.min(MAGAZINE_SLOTS as u64) as usize } else { 0 });
    }

    /// A new chunk for a pool: one that can be lent, if anything can.
    pub(super) fn take_for(&self, pool: &Pool) -> Result<Slot> {
        let lent =
            if pool.magazine.is_some() && self.may_lend() { self.take_lendable(pool.class) } else { None };
        lent.map_or_else(|| self.take(pool.class), Ok)
    }

    /// Lends a free chunk to a pool and hands it out. `None` when it cannot be lent.
    pub(super) fn hand_out_lent(
        &self,
        number: u32,
        pool: &mut Pool,
        slot: Slot,
        is_idle: bool,
    ) -> Option<Handle> {
        let magazine = pool.magazine.filter(|_| self.may_lend())?;
        let record = self.manager.tracker.shared(slot).filter(|_| self.is_lendable(slot))?;
        let is_zero = record.state().has(State::CLEAN) || (is_idle && pool.measures.zero_on_release);
        if pool.measures.wipes() && !is_zero {
            self.wipe(slot);
        }
        let request = pool.measures.request;
        let loan = Loan { owner: Owner::pool(number), label: request.label.0, alignment: request.alignment };
        self.counter.look();
        if !self.lend(slot, pool.class, magazine, loan) {
            return None;
        }
        let handle = self.table.begin(slot, magazine, None)?;
        if !is_idle {
            pool.misses += 1;
            pool.lent_misses += 1;
        }
        self.tune(pool);
        Some(handle)
    }

    /// Takes a lent block back that is in the program's hands. False when it is none of this pool's.
    pub(super) fn release_lent(&self, number: u32, handle: Handle) -> bool {
        let Some((record, front, magazine)) = self.lent(handle) else { return false };
        let mut pools = self.pools.borrow_mut();
        let is_own = |pool: &&mut Pool| pool.magazine == Some(magazine) && !pool.is_closed;
        let Some(pool) = pools.get_mut(&number).filter(is_own) else { return false };
        if pool.measures.wipes() && self.table.was_written(handle.slot) {
            let Ok(bytes) = self.whole(&record, front.size) else { return false };
            ops::fill(bytes, 0);
            self.table.set_written(handle.slot, false);
        }
        self.counter.look();
        let keeps = self.idle(pool) < pool.measures.idle_max;
        if self.table.magazine_length(magazine) == MAGAZINE_SLOTS {
            self.spill(magazine, MAGAZINE_SLOTS / 2, usize::MAX);
        }
        self.table.end(handle, magazine, front.size);
        if !keeps {
            self.unlend(handle.slot);
        } else if pool.is_gated {
            self.reserve(magazine, handle.slot);
        } else {
            self.table.load(magazine, handle.slot);
        }
        self.may_lend(); // so that the next ones need no call
        self.tune(pool);
        true
    }

    /// A block that was taken out of a pool's magazine is the native side's to count now.
    pub(in crate::manager) fn adopt_pooled(&self, owner: Owner) {
        if let Some(pool) = self.pools.borrow_mut().get_mut(&owner.number()) {
            pool.in_use += 1;
            pool.hits += 1; // which the magazine counts no more
        }
    }

    /// A closed pool has no block in use any more.
    pub(super) fn forget_pool(&self, pools: &mut Pools, number: u32) {
        let pool = pools.remove(&number);
        if let Some(magazine) = pool.and_then(|pool| pool.magazine) {
            self.close_magazine(magazine);
        }
        lock(&self.manager.pools.all).remove(&number);
    }
}

impl PoolMeasures {
    /// Whether what lies in the magazine is zero.
    fn wipes(&self) -> bool {
        self.zero_on_release || self.request.zeroed
    }
}
