//! Totals that only grow: one padded cell per thread, written by that thread alone.

use crate::base::sync::{Arc, AtomicU64, Mutex, Ordering, Padded, lock};

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
}

impl Counter {
    /// Counts a block handed out.
    pub fn allocated(&self, size_bytes: u64) {
        let cell = &self.cell.0;
        add(&cell.allocated_bytes, size_bytes);
        add(&cell.allocations, 1);
        let live = cell.live_bytes();
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

    /// Counts a block freed.
    pub fn freed(&self, size_bytes: u64) {
        add(&self.cell.0.freed_bytes, size_bytes);
        add(&self.cell.0.frees, 1);
    }

    /// Tells how many bytes wait in this thread's quarantine now.
    pub fn quarantined(&self, bytes: u64) {
        self.cell.0.quarantined_bytes.store(bytes, Ordering::Release);
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
    cells: Mutex<Cells>,
    count: AtomicU64,
    peak_bytes: AtomicU64,
}

impl Counters {
    /// A cell for the calling thread.
    #[must_use]
    pub fn counter(self: &Arc<Self>) -> Counter {
        let mut cells = lock(&self.cells);
        let cell = cells.idle.pop().unwrap_or_else(|| {
            let cell = Arc::new(Padded(Cell::default()));
            cells.all.push(Arc::clone(&cell));
            self.count.store(cells.all.len() as u64, Ordering::Relaxed);
            cell
        });
        Counter { cell, all: Arc::clone(self) }
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
        let cells = lock(&self.cells);
        let total = |of: fn(&Cell) -> &AtomicU64| {
            cells.all.iter().map(|cell| of(&cell.0).load(Ordering::Acquire)).fold(0, u64::wrapping_add)
        };
        let (frees, freed_bytes) = (total(|cell| &cell.frees), total(|cell| &cell.freed_bytes));
        let (allocations, allocated_bytes) =
            (total(|cell| &cell.allocations), total(|cell| &cell.allocated_bytes));
        Totals { allocated_bytes, freed_bytes, allocations, frees }
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
        let live = self.sum().live_bytes();
        self.peak_bytes.fetch_max(live, Ordering::Relaxed).max(live)
    }

    fn note_peak(&self, own_live_bytes: u64) {
        if self.count.load(Ordering::Relaxed) == 1 {
            if own_live_bytes > self.peak_bytes.load(Ordering::Relaxed) {
                self.peak_bytes.store(own_live_bytes, Ordering::Relaxed);
            }
        } else {
            let live = self.sum().live_bytes();
            self.peak_bytes.fetch_max(live, Ordering::Relaxed);
        }
    }
}
