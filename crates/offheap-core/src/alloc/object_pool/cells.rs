//! Cells of the object pool: carving slots, taking idle cells back, counting.

use super::{CONTINUED, LIVE, ObjectPool, SIZES_MAX};
use crate::alloc::strategy::{Grant, Usage, Verdict, outside_largest};
use crate::base::sync::{Ordering, lock};
use crate::raw;
use crate::raw::zeroes::zeroes;
use crate::tracker::stack::{Chain, Links};
use crate::tracker::state::Slot;
use std::collections::HashMap;

/// Slots that are carved at once, and the bytes at which that is enough. Carving touches links only.
const CARVED_MAX: u64 = 64;
const CARVED_BYTES: u64 = 64 << 10;

/// What the lock protects.
#[derive(Debug)]
pub(super) struct Cells {
    carved: Box<[u32]>,          // per cell: so many slots, from its start on
    cold: Box<[bool]>,           // per cell: its pages were given back, and it was not used since
    filling: Vec<Option<usize>>, // per kind: the cell from which slots are carved
    misses: u64,
}

impl Cells {
    pub(super) fn new(count: usize) -> Option<Self> {
        let (carved, cold) = (zeroes(count)?, zeroes(count)?);
        Some(Self { carved, cold, filling: vec![None; SIZES_MAX], misses: 0 })
    }

    pub(super) const fn misses(&self) -> u64 {
        self.misses
    }
}

impl ObjectPool {
    const fn cell_bytes(&self) -> u64 {
        1 << self.cell_shift
    }

    /// Where a cell ends; the last may be short.
    fn cell_end(&self, cell: usize) -> u64 {
        ((cell as u64 + 1) << self.cell_shift).min(self.total)
    }

    fn size_of(&self, kind: usize) -> u64 {
        self.kinds[kind].size.load(Ordering::Relaxed)
    }

    /// The kind of a cell in which slots start.
    fn kind_at(&self, cell: usize) -> Option<usize> {
        let code = self.kind_of[cell].load(Ordering::Relaxed);
        (code != 0 && code != CONTINUED).then(|| code as usize - 1)
    }

    /// Slots that a cell has room for. One that is larger than a cell stands alone.
    fn slots(&self, cell: usize, size: u64) -> u64 {
        let start = (cell as u64) << self.cell_shift;
        if size > self.cell_bytes() { 1 } else { (self.cell_end(cell) - start) / size }
    }

    /// Carves some slots and hands out the first. `None` when no cell is left.
    pub(super) fn carve_in(&self, cells: &mut Cells, kind: usize) -> Option<Grant> {
        let size = self.size_of(kind);
        let filling = cells.filling[kind];
        let cell = match filling.filter(|cell| u64::from(cells.carved[*cell]) < self.slots(*cell, size)) {
            Some(cell) => cell,
            None => self.open(cells, kind, size)?,
        };
        let from = cells.carved[cell];
        let left = self.slots(cell, size) - u64::from(from);
        let count = left.min(CARVED_MAX).min((CARVED_BYTES / size).max(1)) as u32;
        cells.carved[cell] += count;
        cells.misses += 1;
        let first = self.first_number(cell) + from;
        for number in first + 1..first + count {
            self.links.set_link(Slot(number), number + 2); // the next number + 1, as links are
        }
        if count > 1 {
            let chain = Chain { first: Slot(first + 1), last: Slot(first + count - 1), count: count - 1 };
            self.kinds[kind].free.push(&self.links, chain);
        }
        self.links.set_link(Slot(first), LIVE);
        Some(self.grant(Slot(first), size))
    }

    /// Gives the first cells without a kind that hold a slot to `kind`.
    fn open(&self, cells: &mut Cells, kind: usize, size: u64) -> Option<usize> {
        let mut first = 0;
        for cell in 0..self.kind_of.len() {
            if self.kind_of[cell].load(Ordering::Relaxed) != 0 {
                first = cell + 1;
                continue;
            }
            if self.cell_end(cell) - ((first as u64) << self.cell_shift) < size {
                continue;
            }
            for used in first..=cell {
                // Release: who sees the kind sees its size; pairs with the Acquire in `place`.
                let code = if used == first { kind as u32 + 1 } else { CONTINUED };
                self.kind_of[used].store(code, Ordering::Release);
                cells.cold[used] = false;
            }
            cells.filling[kind] = Some(first);
            return Some(first);
        }
        None
    }

    /// Takes the kind from every cell whose slots are all idle. Idle slots are taken off their stack
    /// first, so nobody can get one meanwhile.
    pub(super) fn gather(&self, cells: &mut Cells) {
        for kind in 0..SIZES_MAX {
            if self.size_of(kind) == 0 {
                continue;
            }
            let idle = self.take_idle(kind);
            let mut counts: HashMap<usize, u32> = HashMap::new();
            for number in &idle {
                *counts.entry(self.cell_of(*number)).or_default() += 1;
            }
            counts.retain(|cell, count| *count == cells.carved[*cell]);
            for cell in counts.keys() {
                self.close(cells, *cell, kind);
            }
            let kept: Vec<Slot> =
                idle.into_iter().filter(|number| !counts.contains_key(&self.cell_of(*number))).collect();
            self.give_idle(kind, &kept);
        }
    }

    fn cell_of(&self, number: Slot) -> usize {
        (number.0 >> (self.cell_shift - 4)) as usize
    }

    fn take_idle(&self, kind: usize) -> Vec<Slot> {
        let mut idle = Vec::new();
        if let Some(chain) = self.kinds[kind].free.take_all(&self.links) {
            self.links.walk(chain, |number| idle.push(number));
        }
        idle
    }

    fn give_idle(&self, kind: usize, slots: &[Slot]) {
        if let Some(chain) = self.links.chain(slots) {
            self.kinds[kind].free.push(&self.links, chain);
        }
    }

    fn close(&self, cells: &mut Cells, cell: usize, kind: usize) {
        self.kind_of[cell].store(0, Ordering::Release);
        for continued in
            self.kind_of[cell + 1..].iter().take_while(|code| code.load(Ordering::Relaxed) == CONTINUED)
        {
            continued.store(0, Ordering::Release);
        }
        cells.carved[cell] = 0;
        if cells.filling[kind] == Some(cell) {
            cells.filling[kind] = None;
        }
    }

    fn live(&self, cells: &Cells, cell: usize) -> u64 {
        let first = self.first_number(cell);
        let slots = first..first + cells.carved[cell];
        slots.filter(|number| self.links.link(Slot(*number)) == LIVE).count() as u64
    }

    /// After `gather`.
    pub(super) fn usage_of(&self, cells: &mut Cells) -> Usage {
        let mut usage = Usage::default();
        let mut run = None; // where a run of cells without a kind began
        let mut longest = 0;
        for cell in 0..=self.kind_of.len() {
            let code = self.kind_of.get(cell).map(|code| code.load(Ordering::Relaxed));
            if code == Some(0) {
                run.get_or_insert((cell as u64) << self.cell_shift);
                continue;
            }
            if let Some(start) = run.take() {
                let bytes = ((cell as u64) << self.cell_shift).min(self.total) - start;
                longest = longest.max(bytes / self.unit * self.unit);
                usage.free_blocks += 1;
            }
            if let Some(kind) = self.kind_of.get(cell).and_then(|_| self.kind_at(cell)) {
                let size = self.size_of(kind);
                let (live, slots) = (self.live(cells, cell), self.slots(cell, size));
                usage.held += live * size;
                usage.blocks += live;
                usage.free_blocks += slots - live;
                // Slots that are not carved yet can be handed out from the filling cell only.
                let carvable = cells.filling[kind] == Some(cell) && live < slots;
                if carvable || live < u64::from(cells.carved[cell]) {
                    usage.largest_free = usage.largest_free.max(size);
                }
            }
        }
        usage.free = self.total - usage.held;
        usage.largest_free = usage.largest_free.max(longest);
        // Idle slots beside live ones serve their own size only, however large.
        usage.scattered = outside_largest(usage.free, self.largest(), longest);
        usage
    }

    pub(super) fn trim_cells(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        let page = raw::page_size() as u64;
        let mut cells = lock(&self.cells);
        self.gather(&mut cells);
        let (mut given, mut cell) = (0, 0);
        while cell < self.kind_of.len() {
            let first = cell;
            while cell < self.kind_of.len()
                && self.kind_of[cell].load(Ordering::Relaxed) == 0
                && !cells.cold[cell]
            {
                cells.cold[cell] = true;
                cell += 1;
            }
            let from = ((first as u64) << self.cell_shift).next_multiple_of(page);
            let end = ((cell as u64) << self.cell_shift).min(self.total);
            // The region is page-rounded: what follows its last byte on that page is nobody's.
            let to = if end == self.total { end.next_multiple_of(page) } else { end / page * page };
            if cell > first && to > from {
                given += decommit(from, to - from);
            }
            cell += 1;
        }
        given
    }

    pub(super) fn check_cells(&self) -> Verdict {
        let cells = lock(&self.cells);
        let mut idle_in = vec![0; self.kind_of.len()];
        for kind in 0..SIZES_MAX {
            let idle = self.take_idle(kind);
            for number in &idle {
                let cell = self.cell_of(*number);
                if self.kind_at(cell) != Some(kind) {
                    return Err(format!("slot {} is idle in a cell of another size", number.0));
                }
                if number.0 - self.first_number(cell) >= cells.carved[cell] {
                    return Err(format!("slot {} is idle and was never carved", number.0));
                }
                idle_in[cell] += 1;
            }
            self.give_idle(kind, &idle);
        }
        for (cell, idle) in idle_in.into_iter().enumerate() {
            let live = self.live(&cells, cell);
            if live + idle != u64::from(cells.carved[cell]) {
                return Err(format!("cell {cell}: {live} live and {idle} idle are not all that were carved"));
            }
            if self.kind_at(cell).is_none() && cells.carved[cell] > 0 {
                return Err(format!("cell {cell} has slots and no size"));
            }
        }
        Ok(())
    }
}
