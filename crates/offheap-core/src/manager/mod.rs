//! Manager: the front door. Wires the other rooms; one per process, one [`Isolate`] per thread.
//! Room: manager (6). May use: base, raw, tracker, ops, alloc, report.
#![forbid(unsafe_code)]

pub mod allocators;
mod blocks;
mod clock;
mod front;
mod isolate;
mod operations;
mod pools;
mod realloc;
mod shares;
mod views;
mod waits;

pub use blocks::Request;
pub use isolate::Isolate;
pub use operations::{Operand, Operation};
pub use pools::{PoolMeasures, PoolNames, PoolStats};
pub use shares::Shares;
pub use views::BufferRecord;
pub use waits::{Notified, Waits};

use crate::alloc::chunks::Chunks;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::tracker::isolate::{DEFAULT_BYTES, IsolateTable};
use crate::tracker::table::Tracker;

/// No limit.
const UNLIMITED: u64 = u64::MAX;

/// All native memory of the process.
#[derive(Debug)]
pub struct Manager {
    /// Which memory is live.
    pub tracker: Tracker,
    /// Where it comes from.
    pub chunks: Chunks,
    limit_bytes: AtomicU64,
    admission: Mutex<()>, // held from the look at the total to the count, while a limit is set
    isolates: AtomicU32,
    tables: Mutex<Tables>,
    escaped_bytes: AtomicU64,
    orphaned_bytes: AtomicU64,
    collected: AtomicU64,
    /// Named regions and how they are cut.
    pub allocators: allocators::Registry,
    /// Pools, for reports.
    pub pools: PoolNames,
    /// Blocks with several holders.
    pub shares: Shares,
    /// Who waits for a word to change.
    pub waits: Waits,
    clock: clock::Clock,
}

#[derive(Debug, Default)]
struct Tables {
    open: Vec<Arc<IsolateTable>>,
    idle: Vec<Arc<IsolateTable>>,
}

impl Default for Manager {
    fn default() -> Self {
        Self {
            tracker: Tracker::default(),
            chunks: Chunks::default(),
            limit_bytes: AtomicU64::new(UNLIMITED),
            admission: Mutex::new(()),
            isolates: AtomicU32::new(0),
            tables: Mutex::default(),
            escaped_bytes: AtomicU64::new(0),
            orphaned_bytes: AtomicU64::new(0),
            collected: AtomicU64::new(0),
            allocators: allocators::Registry::default(),
            pools: PoolNames::default(),
            shares: Shares::default(),
            waits: Waits::default(),
            clock: clock::Clock::default(),
        }
    }
}

impl Manager {
    /// Caps the bytes of live blocks and open regions; `None` lifts the cap. What is live already stays.
    pub fn set_limit(&self, bytes: Option<u64>) {
        let _admission = lock(&self.admission);
        self.limit_bytes.store(bytes.unwrap_or(UNLIMITED), Ordering::SeqCst);
        self.stop_clock(); // who takes from a magazine asks nobody: from now on all ask
    }

    /// The cap, `None` without one.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        let limit = self.limit_bytes.load(Ordering::Relaxed);
        (limit != UNLIMITED).then_some(limit)
    }

    /// Bytes of blocks that were freed while somebody else held their ArrayBuffer, until that is gone,
    /// and of those whose isolate ended while a view could exist, which are kept for ever.
    #[must_use]
    pub fn escaped_bytes(&self) -> u64 {
        self.escaped_bytes.load(Ordering::Relaxed) + self.orphaned_bytes.load(Ordering::Relaxed)
    }

    /// Blocks that were freed because neither a handle nor a view of them was left.
    #[must_use]
    pub fn collected(&self) -> u64 {
        self.collected.load(Ordering::Relaxed)
    }

    /// Bytes of freed chunks that wait before they are handed out again.
    #[must_use]
    pub fn quarantined_bytes(&self) -> u64 {
        self.tracker.counters.quarantined_bytes() + self.chunks.left_bytes()
    }

    /// Checks that `bytes` more fit. While a limit is set, whoever holds the answer is alone until
    /// the allocation is counted: the cap is exact.
    #[inline]
    fn admit(&self, bytes: u64) -> Result<Option<MutexGuard<'_, ()>>> {
        if self.limit_bytes.load(Ordering::Relaxed) == UNLIMITED {
            Ok(None)
        } else {
            self.admit_limited(bytes)
        }
    }

    #[cold]
    fn admit_limited(&self, bytes: u64) -> Result<Option<MutexGuard<'_, ()>>> {
        let guard = lock(&self.admission);
        let limit = self.limit_bytes.load(Ordering::Relaxed);
        let taken = self.tracker.counters.live_bytes() + self.allocators.charged_bytes();
        let available = limit.saturating_sub(taken);
        if bytes > available { Err(Error::new(Code::Limit, bytes, available)) } else { Ok(Some(guard)) }
    }

    /// A table for a new isolate, of `bytes` (default when `None`).
    fn open_table(&self, bytes: Option<usize>) -> Result<Arc<IsolateTable>> {
        let bytes = bytes.unwrap_or(DEFAULT_BYTES);
        let mut tables = lock(&self.tables);
        let fits = |table: &Arc<IsolateTable>| table.is_for(bytes);
        let table = match tables.idle.iter().position(fits) {
            Some(index) => tables.idle.swap_remove(index),
            None => {
                let refused = || Error::new(Code::OutOfMemory, bytes as u64, crate::raw::available_bytes());
                let table = Arc::new(IsolateTable::reserve(bytes).ok_or_else(refused)?);
                self.tracker.tables.add(&table);
                table
            }
        };
        tables.open.push(Arc::clone(&table));
        Ok(table)
    }

    /// Keeps the table of an ended isolate for the next one.
    fn close_table(&self, table: &Arc<IsolateTable>) {
        let mut tables = lock(&self.tables);
        tables.open.retain(|open| !Arc::ptr_eq(open, table));
        tables.idle.push(Arc::clone(table));
    }
}
