//! The buddy's larger orders: a bitmap of free blocks for each, split and joined under the lock that it
//! lies in. A unit is a page in a shard, and a whole shard at the top.

use crate::alloc::bitmap::Bitmap;

/// Free blocks of whole units. Orders count from one unit on.
#[derive(Debug)]
pub(super) struct Upper {
    free: Vec<Bitmap>, // per order
    some: u32,         // a bit for each order that has a free block
    units: usize,
}

impl Upper {
    /// No unit free. `None` without memory.
    pub(super) fn empty(units: usize) -> Option<Self> {
        let orders = if units == 0 { 0 } else { units.ilog2() + 1 };
        let free = (0..orders).map(|order| Bitmap::new(units >> order)).collect::<Option<_>>()?;
        Some(Self { free, some: 0, units })
    }

    /// All units free, in the largest aligned blocks: a forest when their number is no power of two.
    pub(super) fn filled(units: usize) -> Option<Self> {
        let (mut upper, mut unit) = (Self::empty(units)?, 0);
        while unit < units {
            let aligned = if unit == 0 { u32::MAX } else { unit.trailing_zeros() };
            let order = aligned.min((units - unit).ilog2());
            upper.insert(unit >> order, order);
            unit += 1 << order;
        }
        Some(upper)
    }

    fn insert(&mut self, block: usize, order: u32) {
        self.free[order as usize].insert(block);
        self.some |= 1 << order;
    }

    fn remove(&mut self, block: usize, order: u32) {
        let blocks = &mut self.free[order as usize];
        blocks.remove(block);
        if blocks.is_empty() {
            self.some &= !(1 << order);
        }
    }

    /// Takes a block, splitting a larger one if there is none of its order. Returns its first unit.
    pub(super) fn take(&mut self, order: u32) -> Option<usize> {
        let from = self.smallest(order)?;
        let block = self.free[from as usize].first()?;
        self.remove(block, from);
        let unit = block << from;
        for half in (order..from).rev() {
            self.insert((unit >> half) + 1, half); // the upper half stays free
        }
        Some(unit)
    }

    /// Puts a block back and joins it with its buddies as far as they are free.
    pub(super) fn put(&mut self, unit: usize, mut order: u32) {
        let mut block = unit >> order;
        while order + 1 < self.free.len() as u32 && self.free[order as usize].has(block ^ 1) {
            self.remove(block ^ 1, order);
            block >>= 1;
            order += 1;
        }
        self.insert(block, order);
    }

    /// The orders that have a free block, a bit each.
    pub(super) const fn some(&self) -> u32 {
        self.some
    }

    /// The smallest order with a free block that a request of `order` can be cut from.
    pub(super) const fn smallest(&self, order: u32) -> Option<u32> {
        match self.some & (!0 << order) {
            0 => None,
            fitting => Some(fitting.trailing_zeros()),
        }
    }

    /// The largest free order.
    pub(super) const fn largest(&self) -> Option<u32> {
        self.some.checked_ilog2()
    }

    /// Free units and free blocks.
    pub(super) fn count(&self) -> (u64, u64) {
        let counts = self.free.iter().map(Bitmap::len);
        counts
            .enumerate()
            .fold((0, 0), |(units, blocks), (order, len)| (units + (len << order), blocks + len))
    }

    /// First unit and number of units of every free block.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, usize)> {
        let numbered = self.free.iter().enumerate();
        numbered.flat_map(|(order, blocks)| blocks.iter().map(move |block| (block << order, 1 << order)))
    }

    /// Whether a unit is in a free block; an error when it is in two, or when a pair is not joined.
    pub(super) fn free_units(&self) -> Result<Vec<bool>, String> {
        let mut free = vec![false; self.units];
        for (order, blocks) in self.free.iter().enumerate() {
            if blocks.is_empty() != (self.some >> order & 1 == 0) {
                return Err(format!("order {order} has a free block, or it is said to have one"));
            }
            for block in blocks.iter() {
                if block & 1 == 0 && blocks.has(block + 1) && order + 1 < self.free.len() {
                    return Err(format!("blocks {block} of order {order} are not joined"));
                }
                for unit in
                    free.get_mut(block << order..(block + 1) << order).ok_or("a block past the end")?
                {
                    if std::mem::replace(unit, true) {
                        return Err(format!("block {block} of order {order} overlaps another"));
                    }
                }
            }
        }
        Ok(free)
    }
}
