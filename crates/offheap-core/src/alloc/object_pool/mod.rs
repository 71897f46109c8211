//! Object pool: slots of one size each, for every size that was asked. A freed slot goes on its size's
//! free stack and is the next to be handed out: no search, no splitting, no joining.
//!
//! The region is cut into cells; a cell serves one size, a slot larger than a cell takes several.
//! Taking and freeing a slot is lock-free; a lock is held while slots are carved and while cells
//! change their size.

mod cells;

use super::strategy::{Grant, Strategy, UNIT, Usage, Verdict, full, never_fits, no_memory, not_granted};
use crate::base::error::Result;
use crate::base::sync::{AtomicI32, AtomicU32, AtomicU64, Mutex, Ordering, lock, sized};
use crate::raw::words;
use crate::raw::zeroes::zeroed_atomics;
use crate::tracker::stack::{Chain, Links, Stack};
use crate::tracker::state::Slot;
use cells::Cells;

/// Sizes that one pool keeps apart; a further size gets a slot of the next larger one.
const SIZES_MAX: usize = sized(1024, 8);
/// Of them, those kept for powers of two (2^4 to 2^36) and for the largest request.
const ROUNDED_MAX: usize = sized(64, 4);
/// Cells are a sixteenth of the region, and 1 MiB at most: then few bytes are left at the end of each.
const CELL_MAX: u64 = 1 << 20;
const CELL_MIN: u64 = 4096;
/// The link of a slot that is handed out.
const LIVE: u32 = u32::MAX;
/// The kind of a cell that continues the slot of the cell before it.
const CONTINUED: u32 = u32::MAX;

/// One size.
#[derive(Debug, Default)]
struct Kind {
    size: AtomicU64, // 0: not in use
    free: Stack,
}

/// The strategy. A slot's number is its cell's first number plus its place in the cell.
#[derive(Debug)]
pub struct ObjectPool {
    total: u64,
    unit: u64,                     // every slot's size is a multiple of it
    cell_shift: u32,               // log2 of a cell's bytes
    kinds: Box<[Kind; SIZES_MAX]>, // a hash table by size
    kind_of: Box<[AtomicU32]>,     // per cell: its kind + 1, 0 while it has none, or CONTINUED
    links: Table,
    cells: Mutex<Cells>,
}

/// The links of the free stacks, one for each number that a slot can have.
#[derive(Debug)]
struct Table(&'static [AtomicI32]);

impl Links for Table {
    #[inline]
    fn link(&self, slot: Slot) -> u32 {
        self.0.get(slot.0 as usize).map_or(0, |link| link.load(Ordering::Acquire).cast_unsigned())
    }

    #[inline]
    fn set_link(&self, slot: Slot, link: u32) {
        self.0[slot.0 as usize].store(link.cast_signed(), Ordering::Release);
    }
}

/// A slot, as its offset names it.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: Slot,
    kind: usize,
    size: u64,
}

impl ObjectPool {
    /// A pool over `[0, total)`.
    ///
    /// # Errors
    /// [`crate::base::error::Code::OutOfRange`] when not one slot fits;
    /// [`crate::base::error::Code::OutOfMemory`].
    pub fn new(total: u64, alignment: u64) -> Result<Self> {
        let unit = alignment.max(UNIT);
        if unit > total {
            return Err(never_fits(unit, total));
        }
        let cell = (total / 16).next_power_of_two().clamp(CELL_MIN, CELL_MAX).max(unit);
        let count = total.div_ceil(cell) as usize;
        let numbers = count * (cell / UNIT) as usize;
        let refused = || no_memory(4 * numbers as u64);
        let cells = Cells::new(count).ok_or_else(refused)?;
        let kind_of = zeroed_atomics(count).ok_or_else(refused)?;
        let links = words::zeroed_i32(numbers).ok_or_else(refused)?; // last: it is never given back
        Ok(Self {
            total,
            unit,
            cell_shift: cell.trailing_zeros(),
            kinds: Box::new(std::array::from_fn(|_| Kind::default())),
            kind_of,
            links: Table(links),
            cells: Mutex::new(cells),
        })
    }

    /// How many allocations had to carve a new slot.
    #[must_use]
    pub fn misses(&self) -> u64 {
        lock(&self.cells).misses()
    }

    /// The largest request, in bytes.
    const fn largest(&self) -> u64 {
        self.total / self.unit * self.unit
    }

    /// A slot's size for a request; `unit` is a power of two.
    #[inline]
    const fn rounded(&self, size: u64) -> u64 {
        (size + self.unit - 1) & !(self.unit - 1)
    }

    /// Where a size stands first in the hash table.
    #[inline]
    const fn hash(size: u64) -> usize {
        ((size / UNIT).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SIZES_MAX.ilog2())) as usize
    }

    /// Where a size stands, or would stand.
    fn probe(size: u64) -> impl Iterator<Item = usize> {
        (0..SIZES_MAX).map(move |step| (Self::hash(size) + step) % SIZES_MAX)
    }

    /// The kind of a size, if there is one.
    #[inline]
    fn find(&self, size: u64) -> Option<usize> {
        let first = Self::hash(size);
        if self.kinds[first].size.load(Ordering::Acquire) == size {
            return Some(first);
        }
        self.find_further(size)
    }

    #[cold]
    fn find_further(&self, size: u64) -> Option<usize> {
        for kind in Self::probe(size) {
            match self.kinds[kind].size.load(Ordering::Acquire) {
                0 => return None,
                found if found == size => return Some(kind),
                _ => {}
            }
        }
        None
    }

    #[inline]
    fn pop(&self, kind: usize) -> Option<Grant> {
        let number = self.kinds[kind].free.pop(&self.links, 1)?.first;
        self.links.set_link(number, LIVE);
        Some(self.grant(number, self.kinds[kind].size.load(Ordering::Relaxed)))
    }

    fn grant(&self, number: Slot, size: u64) -> Grant {
        let shift = self.cell_shift - UNIT.trailing_zeros();
        let (cell, place) = (u64::from(number.0) >> shift, u64::from(number.0) & ((1 << shift) - 1));
        Grant { offset: (cell << self.cell_shift) + place * size, size }
    }

    /// The slot that starts at an offset, of a cell that has a kind.
    #[inline]
    fn place(&self, offset: u64) -> Option<Place> {
        let cell = usize::try_from(offset >> self.cell_shift).ok()?;
        // Acquire: pairs with the Release that gave the cell its kind.
        let code = self.kind_of.get(cell)?.load(Ordering::Acquire);
        if code == 0 || code == CONTINUED {
            return None;
        }
        let kind = code as usize - 1;
        let size = self.kinds[kind].size.load(Ordering::Relaxed);
        let within = offset & ((1 << self.cell_shift) - 1);
        // Both below 2^31, so that a short division does; in a cell of a larger slot only 0 is a place.
        let place = if size >> self.cell_shift == 0 { u64::from(within as u32 / size as u32) } else { 0 };
        let number = Slot(self.first_number(cell) + place as u32);
        (place * size == within && self.links.link(number) == LIVE).then_some(Place { number, kind, size })
    }

    const fn first_number(&self, cell: usize) -> u32 {
        (cell as u32) << (self.cell_shift - UNIT.trailing_zeros())
    }

    /// No idle slot of this size: carves one, with the lock held.
    #[cold]
    fn carve(&self, size: u64, request: u64) -> Result<Grant> {
        let mut cells = lock(&self.cells);
        let kind = self.kind_for(size).ok_or_else(|| full(request, 0))?;
        if let Some(grant) = self.pop(kind) {
            return Ok(grant); // somebody carved, or freed, while we waited
        }
        if let Some(grant) = self.carve_in(&mut cells, kind) {
            return Ok(grant);
        }
        self.gather(&mut cells);
        if let Some(grant) = self.pop(kind).or_else(|| self.carve_in(&mut cells, kind)) {
            return Ok(grant);
        }
        Err(full(request, self.usage_of(&mut cells).largest_free))
    }

    /// The kind of a size; made if there is none. The last places of the table are for powers of two: then
    /// it is that of the next larger size there is, up to the next power of two.
    fn kind_for(&self, size: u64) -> Option<usize> {
        if let Some(kind) = self.find(size) {
            return Some(kind);
        }
        let size_of = |kind: &usize| self.kinds[*kind].size.load(Ordering::Relaxed);
        let made = (0..SIZES_MAX).filter(|kind| size_of(kind) > 0);
        if made.clone().count() < SIZES_MAX - ROUNDED_MAX {
            return self.make_kind(size);
        }
        let rounded = size.next_power_of_two().min(self.largest());
        made.filter(|kind| (size..=rounded).contains(&size_of(kind)))
            .min_by_key(size_of)
            .or_else(|| self.make_kind(rounded))
    }

    /// A kind for a size that has none, with the lock held.
    fn make_kind(&self, size: u64) -> Option<usize> {
        let kind = Self::probe(size).find(|kind| self.kinds[*kind].size.load(Ordering::Acquire) == 0)?;
        self.kinds[kind].size.store(size, Ordering::Release);
        Some(kind)
    }
}

impl Strategy for ObjectPool {
    #[inline]
    fn allocate(&self, size: u64) -> Result<Grant> {
        if size.wrapping_sub(1) >= self.largest() {
            return Err(never_fits(size, self.largest()));
        }
        let rounded = self.rounded(size);
        if let Some(grant) = self.find(rounded).and_then(|kind| self.pop(kind)) {
            return Ok(grant);
        }
        self.carve(rounded, size)
    }

    #[inline]
    fn free(&self, offset: u64) -> Result<u64> {
        let Place { number, kind, size } = self.place(offset).ok_or_else(not_granted)?;
        // The push links the slot, so it is no longer LIVE; its Release publishes what the owner wrote.
        self.kinds[kind].free.push(&self.links, Chain { first: number, last: number, count: 1 });
        Ok(size)
    }

    #[inline]
    fn class_of(&self, size: u64) -> Option<u32> {
        if size.wrapping_sub(1) >= self.largest() {
            return None;
        }
        self.find(self.rounded(size)).map(|kind| kind as u32)
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        self.place(offset).map(|place| place.size)
    }

    fn usage(&self) -> Usage {
        let mut cells = lock(&self.cells);
        self.gather(&mut cells);
        self.usage_of(&mut cells)
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        self.trim_cells(decommit)
    }

    fn check(&self) -> Verdict {
        self.check_cells()
    }
}
