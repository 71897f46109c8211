//! Totals that only grow: one padded cell per thread, written by that thread alone.

use super::isolate::{IsolateTable, Tables};
use crate::base::sync::{Arc, AtomicU64, Mutex, MutexGuard, Ordering, Padded, lock};

/// One thread's totals. Only the owner writes, so plain load + store loses nothing.
#[derive(Debug, Default)]
pub struct Cell {
    allocated_bytes: AtomicU64,
    freed_bytes: AtomicU64,
    allocations: AtomicU64,
    frees: AtomicU64,
    quarantined_bytes: AtomicU64,
    live_bytes_max: AtomicU64, // the most that this thread alone has seen; triggers a look at all
}

/// Sums over all threads.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Bytes asked for, ever.
    pub allocated_bytes: u64,
    /// Bytes freed, ever.
    pub freed_bytes: u64,
    /// Blocks handed out, ever.
    pub allocations: u64,
    /// Blocks freed, ever.
    pub frees: u64,
}

impl Totals {
    /// Bytes live.
    #[must_use]
    pub const fn live_bytes(self) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes)
    }

    /// Blocks live.
    #[must_use]
    pub const fn live_blocks(self) -> u64 {
        self.allocations.saturating_sub(self.frees)
    }
}

fn add(total: &AtomicU64, amount: u64) -> u64 {
    let sum = total.load(Ordering::Relaxed).wrapping_add(amount);
    total.store(sum, Ordering::Release); // pairs with the Acquire in `Counters::sum`
    sum
}

impl Cell {
    fn live_bytes(&self) -> u64 {
        // Another thread may free what this one allocated: then this difference is only this
        // thread's part, and may be "negative".
        self.allocated_bytes.load(Ordering::Relaxed).wrapping_sub(self.freed_bytes.load(Ordering::Relaxed))
    }
}

/// A thread's permission to count. Dropping it returns the cell, totals and all, for the next one.
#[derive(Debug)]
pub struct Counter {
    cell: Arc<Padded<Cell>>,
    all: Arc<Counters>,
    table: Option<Arc<IsolateTable>>, // in which JavaScript of the same thread counts
}

impl Counter {
    /// Counts a block handed out.
    pub fn allocated(&self, size_bytes: u64) {
        self.look();
        add(&self.cell.0.allocated_bytes, size_bytes);
        add(&self.cell.0.allocations, 1);
        self.note_live(self.table.as_ref().map_or(0, |table| table.live_bytes()));
    }

    /// Takes notice of what JavaScript counted since the last time. Before anything else changes.
    #[inline]
    pub fn look(&self) {
        if let Some(table) = self.table.as_ref().filter(|table| !table.is_looked_at()) {
            self.look_at(table);
        }
    }

    fn look_at(&self, table: &IsolateTable) {
        self.note_live(table.high_bytes());
        table.look();
    }

    fn note_live(&self, lent_bytes: u64) {
        let cell = &self.cell.0;
        let live = cell.live_bytes().wrapping_add(lent_bytes);
        if live > cell.live_bytes_max.load(Ordering::Relaxed) && live < i64::MAX as u64 {
            cell.live_bytes_max.store(live, Ordering::Relaxed);
            self.all.note_peak(live);
        }
    }

    /// Counts a grant handed out. No peak is kept: looking at all cells at every new maximum would cost
    /// an arena, which only grows, a lock each time.
    #[inline]
    pub fn granted(&self, size_bytes: u64) {
        add(&self.cell.0.allocated_bytes, size_bytes);
        add(&self.cell.0.allocations, 1);
    }

    /// Counts a block that JavaScript handed out, and that is counted here from now on.
    pub fn adopted(&self, size_bytes: u64) {
        add(&self.cell.0.allocated_bytes, size_bytes);
        add(&self.cell.0.allocations, 1);
        if let Some(table) = &self.table {
            table.look(); // it is no new maximum: the table has just lost what this cell got
        }
    }

    /// Counts a block freed.
    pub fn freed(&self, size_bytes: u64) {
        self.look();
        add(&self.cell.0.freed_bytes, size_bytes);
        add(&self.cell.0.frees, 1);
    }

    /// Tells how many bytes wait in this thread's quarantine now.
    pub fn quarantined(&self, bytes: u64) {
        self.cell.0.quarantined_bytes.store(bytes, Ordering::Release);
    }

    /// Counts what was handed out elsewhere.
    pub fn granted_before(&self, count: u64, size_bytes: u64) {
        add(&self.cell.0.allocated_bytes, size_bytes);
        add(&self.cell.0.allocations, count);
    }

    /// Counts what was handed out and freed elsewhere.
    pub fn passed(&self, count: u64) {
        add(&self.cell.0.allocations, count);
        add(&self.cell.0.frees, count);
    }

    /// Counts one more of what has no size.
    #[inline]
    pub fn one_more(&self) {
        add(&self.cell.0.allocations, 1);
    }

    /// Counts one less of what has no size.
    #[inline]
    pub fn one_less(&self) {
        add(&self.cell.0.frees, 1);
    }

    /// Counts a block whose size changed in its owner's hands: no moment of both sizes.
    pub fn resized(&self, old_bytes: u64, new_bytes: u64) {
        self.freed(old_bytes);
        self.allocated(new_bytes);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.cell.0.live_bytes_max.store(0, Ordering::Relaxed);
        self.quarantined(0);
        lock(&self.all.cells).idle.push(Arc::clone(&self.cell));
    }
}

#[derive(Debug, Default)]
struct Cells {
    all: Vec<Arc<Padded<Cell>>>,
    idle: Vec<Arc<Padded<Cell>>>,
}

/// All threads' cells.
#[derive(Debug, Default)]
pub struct Counters {
    tables: Arc<Tables>,
    loans: Mutex<Vec<LentFrom>>,
    cells: Mutex<Cells>,
    count: AtomicU64,
    peak_bytes: AtomicU64,
}

/// A magazine of an allocator in an isolate's table.
#[derive(Debug, Clone)]
pub struct LentFrom {
    /// In which table.
    pub table: Arc<IsolateTable>,
    /// Which one.
    pub magazine: usize,
    /// What becomes of what was taken out of it and ends.
    pub back: Back,
    /// Of an arena: what is lent of it now.
    pub piece: Option<Piece>,
}

/// Where what was taken out of a magazine comes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// Into the magazine.
    Magazine,
    /// Nowhere before the native side looks, which has a list of what is out and counts it there. Of a ring.
    Listed,
    /// Nowhere at all. Of an arena.
    Nowhere,
}

/// A piece of an arena, in bytes, and the stay of what is cut off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
    /// Its level.
    pub level: u32,
    /// The level's generation.
    pub generation: u32,
}

impl LentFrom {
    fn add_to(&self, totals: &mut Totals) {
        if self.back == Back::Listed {
            return;
        }
        let taken = self.table.taken_of(self.magazine);
        totals.allocations = totals.allocations.wrapping_add(taken);
        let out = match self.back {
            Back::Magazine => u64::from(self.table.out_of(self.magazine)),
            Back::Nowhere | Back::Listed => taken,
        };
        totals.frees = totals.frees.wrapping_add(taken.wrapping_sub(out));
        totals.allocated_bytes = totals.allocated_bytes.wrapping_add(self.table.granted_of(self.magazine));
    }
}

impl Counters {
    /// The magazines whose counts belong to these sums. The lock is also what an allocator holds while a lent record
    /// changes.
    pub fn loans(&self) -> MutexGuard<'_, Vec<LentFrom>> {
        lock(&self.loans)
    }

    /// Sums that include what is counted in tables.
    #[must_use]
    pub fn with(tables: Arc<Tables>) -> Self {
        Self { tables, ..Self::default() }
    }

    /// A cell for the calling thread.
    #[must_use]
    pub fn counter(self: &Arc<Self>) -> Counter {
        self.counter_with(None)
    }

    /// The same, for a thread that also counts in a table.
    #[must_use]
    pub fn counter_with(self: &Arc<Self>, table: Option<Arc<IsolateTable>>) -> Counter {
        let mut cells = lock(&self.cells);
        let cell = cells.idle.pop().unwrap_or_else(|| {
            let cell = Arc::new(Padded(Cell::default()));
            cells.all.push(Arc::clone(&cell));
            self.count.store(cells.all.len() as u64, Ordering::Relaxed);
            cell
        });
        Counter { cell, all: Arc::clone(self), table }
    }

    /// How many cells were ever made.
    #[cfg(test)]
    pub(super) fn cells(&self) -> usize {
        lock(&self.cells).all.len()
    }

    /// Sums all cells. Frees are read before allocations, so that a block which is allocated and
    /// freed meanwhile is not counted as freed only.
    #[must_use]
    pub fn sum(&self) -> Totals {
        let lent_live = self.tables.sum(IsolateTable::live_bytes);
        let lent_chunks = self.tables.sum(IsolateTable::live_chunks);
        let cells = lock(&self.cells);
        let total = |of: fn(&Cell) -> &AtomicU64| {
            cells.all.iter().map(|cell| of(&cell.0).load(Ordering::Acquire)).fold(0, u64::wrapping_add)
        };
        let (frees, freed_bytes) = (total(|cell| &cell.frees), total(|cell| &cell.freed_bytes));
        let (allocations, allocated_bytes) =
            (total(|cell| &cell.allocations), total(|cell| &cell.allocated_bytes));
        let lent_bytes = self.tables.sum(IsolateTable::allocated_bytes);
        // Below 0 when a block that counted as lent and live was adopted meanwhile.
        let lent_freed = Some(lent_bytes.wrapping_sub(lent_live)).filter(|bytes| *bytes <= i64::MAX as u64);
        let mut totals = Totals {
            allocated_bytes: allocated_bytes.wrapping_add(lent_bytes),
            freed_bytes: freed_bytes.wrapping_add(lent_freed.unwrap_or(0)),
            allocations: allocations.wrapping_add(lent_chunks),
            frees,
        };
        for loan in &*lock(&self.loans) {
            loan.add_to(&mut totals);
        }
        totals
    }

    /// Bytes live, as [`Counters::sum`] has them.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        let lent = self.tables.sum(IsolateTable::live_bytes);
        let cells = lock(&self.cells);
        let total = |of: fn(&Cell) -> &AtomicU64| {
            cells.all.iter().map(|cell| of(&cell.0).load(Ordering::Acquire)).fold(0, u64::wrapping_add)
        };
        let freed = total(|cell| &cell.freed_bytes).wrapping_sub(lent);
        let live = total(|cell| &cell.allocated_bytes).wrapping_sub(freed);
        if live > i64::MAX as u64 { 0 } else { live } // of another moment each
    }

    /// Bytes that wait in the quarantines of all threads.
    #[must_use]
    pub fn quarantined_bytes(&self) -> u64 {
        lock(&self.cells).all.iter().map(|cell| cell.0.quarantined_bytes.load(Ordering::Acquire)).sum()
    }

    /// The most bytes live at once: exact while one thread counts, else the highest sum that was
    /// looked at (when a thread exceeds its own maximum, and here).
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        let mut live = self.live_bytes();
        if self.count.load(Ordering::Relaxed) == 1 {
            // One thread counts: what its JavaScript had at most since it was looked at belongs to this peak.
            live += self.tables.sum(|table| table.high_bytes().saturating_sub(table.live_bytes()));
        }
        self.peak_bytes.fetch_max(live, Ordering::Relaxed).max(live)
    }

    fn note_peak(&self, own_live_bytes: u64) {
        if self.count.load(Ordering::Relaxed) == 1 {
            if own_live_bytes > self.peak_bytes.load(Ordering::Relaxed) {
                self.peak_bytes.store(own_live_bytes, Ordering::Relaxed);
            }
        } else {
            self.peak_bytes.fetch_max(self.live_bytes(), Ordering::Relaxed);
        }
    }
}
