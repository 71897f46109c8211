//! One thread's door to the manager: its cache, its totals, its table.

use super::Manager;
use super::views::Shown;
use crate::alloc::chunks::Cache;
use crate::base::error::Result;
use crate::base::sync::{Arc, Ordering};
use crate::tracker::counters::Counter;
use crate::tracker::isolate::IsolateTable;
use crate::tracker::state::{Handle, Owner, Slot, State};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// What one thread (in Node: one isolate) allocates through. Not `Sync`: one
/// thread at a time.
#[derive(Debug)]
pub struct Isolate {
    pub(super) manager: &'static Manager,
    pub(super) number: u32,
    pub(super) counter: Counter,
    pub(super) cache: RefCell<Cache>,
    pub(super) prepared: RefCell<Option<super::realloc::Prepared>>,
    pub(super) views: RefCell<HashMap<Slot, Shown>>,
    pub(super) waiting: RefCell<Vec<Slot>>, // blocks that `settle` looks at
    pub(super) waits: RefCell<HashMap<u64, Handle>>, // by ticket, the blocks that waits pin
    pub(super) allocators: RefCell<super::allocators::Door>,
    pub(super) busy: super::allocators::Busy,
    pub(super) pools: RefCell<super::pools::Pools>,
    pub(super) front: RefCell<super::front::Magazines>,
    pub(super) unwiped: RefCell<HashSet<Slot>>, // escaped blocks of pools, to be zeroed when they come back
    /// The table that the isolate's JavaScript reads and writes.
    pub table: Arc<IsolateTable>,
}

impl Isolate {
    /// Opens a door for the calling thread. `table_bytes` as `OFFHEAP_TABLE`. Nothing is lent to it.
    ///
    /// # Errors
    /// As [`Isolate::open_lending`].
    pub fn open(manager: &'static Manager, table_bytes: Option<usize>) -> Result<Self> {
        Self::open_lending(manager, table_bytes, false)
    }

    /// Opens a door for the calling thread. `lends`: whether whoever has the table may hand blocks out by itself.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfMemory`] when the table cannot be reserved.
    pub fn open_lending(manager: &'static Manager, table_bytes: Option<usize>, lends: bool) -> Result<Self> {
        manager.tracker.open()?;
        let table = manager.open_table(table_bytes)?;
        Ok(Self {
            manager,
            number: manager.isolates.fetch_add(1, Ordering::Relaxed) & Owner::NUMBER_MAX,
            counter: manager.tracker.counters.counter_with(Some(Arc::clone(&table))),
            cache: RefCell::default(),
            prepared: RefCell::default(),
            views: RefCell::default(),
            waiting: RefCell::default(),
            waits: RefCell::default(),
            allocators: RefCell::default(),
            busy: super::allocators::Busy::default(),
            pools: RefCell::default(),
            front: RefCell::new(super::front::Magazines::open(&table, lends)),
            unwiped: RefCell::default(),
            table,
        })
    }

    /// The manager behind it.
    #[must_use]
    pub const fn manager(&self) -> &'static Manager {
        self.manager
    }

    /// The number of this isolate in rows: not reused before 2^22 isolates.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Handles of this isolate's live blocks, its pools' included, with their states.
    #[must_use]
    pub fn own_blocks(&self) -> Vec<(Handle, State)> {
        let mut own = Vec::new();
        self.manager.tracker.scan(|row| {
            if self.is_mine(row.owner) {
                own.push((row.handle, row.state));
            }
        });
        own
    }

    /// Gives idle pages back to the system: this isolate's cache and everything shared. Also those of its table that tell of nothing
    /// but free chunks; they are not counted.
    pub fn trim(&self) -> u64 {
        self.spill_all();
        let mut cache = self.cache.borrow_mut();
        let given = self.manager.chunks.trim(&mut cache, &self.manager.tracker);
        self.counter.quarantined(cache.quarantined_bytes());
        self.manager.tracker.forget_idle(&self.table);
        given
    }
}

impl Drop for Isolate {
    /// The isolate has ended. Blocks that nobody can see come back; a block that was viewed may
    /// still be seen by whoever received its buffer, so it is kept and counted as orphaned.
    fn drop(&mut self) {
        self.leave_waits();
        self.manager.shares.leave(self.number);
        for (handle, state) in self.own_blocks() {
            if !self.was_viewed(handle, state) && self.free_any(handle).is_ok() {
                continue;
            }
            self.orphan(handle);
        }
        self.abort_reallocation();
        self.leave_pools();
        self.leave_allocators();
        self.leave_front();
        self.cache.borrow_mut().dissolve(&self.manager.chunks, &self.manager.tracker);
        self.manager.close_table(&self.table);
    }
}
