//! Two-level segregated fit over nodes that lie outside the memory, after the scheme that S. Aaltonen
//! published as OffsetAllocator: free ranges stand in bins of which eight share a doubling, two bit
//! searches find the bin, and a freed range is joined with its neighbours at once.

use crate::alloc::bitmap::Bitmap;
use crate::raw::zeroes::zeroes;

const BIN_COUNT: usize = 256;
const NONE: u32 = u32::MAX;

/// Who has a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Nobody.
    Free,
    /// Whoever asked for it.
    Grant,
    /// The slab, as a span: nobody can free it by its offset.
    Span,
    /// Nobody any more, while its pages go back to the system.
    Leaving,
}

/// A range, free or granted. Sizes and offsets count units.
#[derive(Debug, Clone, Copy)]
struct Node {
    offset: u32,
    size: u32,
    before: u32, // neighbours in the region
    after: u32,
    previous: u32, // neighbours in the bin, while free
    next: u32,
    used: Use,
}

/// The ranges of a region.
#[derive(Debug)]
pub(super) struct Tlsf {
    nodes: Vec<Node>,
    spare: Vec<u32>, // numbers of nodes that are not in use
    at: Box<[u32]>,  // per unit: the node that starts there + 1; read while that node exists
    bins: Vec<u32>,  // first free node of each
    filled: [u64; BIN_COUNT / 64],
    cold: Bitmap, // units that are free and were given back
}

/// The bin of a size: itself below 8, then three bits after the first.
const fn bin(size: u32) -> usize {
    if size < 8 {
        return size as usize;
    }
    let log2 = size.ilog2();
    ((log2 - 2) * 8 + ((size >> (log2 - 3)) & 7)) as usize
}

/// The first bin whose ranges are all at least `size`.
const fn bin_above(size: u32) -> usize {
    let exact = size < 8 || size.trailing_zeros() + 3 >= size.ilog2();
    bin(size) + if exact { 0 } else { 1 }
}

impl Tlsf {
    /// One free range. `None` without memory.
    pub(super) fn new(units: u32) -> Option<Self> {
        let mut tlsf = Self {
            nodes: Vec::new(),
            spare: Vec::new(),
            at: zeroes(units as usize)?,
            bins: vec![NONE; BIN_COUNT],
            filled: [0; BIN_COUNT / 64],
            cold: Bitmap::new(units as usize)?,
        };
        let first = tlsf.add(0, units, NONE, NONE);
        tlsf.shelve(first);
        Some(tlsf)
    }

    /// Makes room for what one take adds, and for what every put does. False without memory.
    pub(super) fn reserve(&mut self) -> bool {
        let numbers = self.nodes.len() + 2; // at most that many are spare, however ranges are joined
        self.nodes.try_reserve(2).is_ok()
            && self.spare.try_reserve(numbers - self.spare.len().min(numbers)).is_ok()
    }

    /// Takes `size` units at a multiple of `alignment` units, for `used`.
    pub(super) fn take(&mut self, size: u32, alignment: u32, used: Use) -> Option<u32> {
        let number = self.find(size, alignment)?;
        self.unshelve(number);
        let node = self.nodes[number as usize];
        let start = node.offset.next_multiple_of(alignment);
        let (front, rest) = (start - node.offset, node.offset + node.size - start - size);
        let mut taken = number;
        if front > 0 {
            self.nodes[number as usize].size = front;
            taken = self.insert_after(number, start, node.size - front);
            self.shelve(number);
        }
        if rest > 0 {
            self.nodes[taken as usize].size = size;
            let rest = self.insert_after(taken, start + size, rest);
            self.shelve(rest);
        }
        self.nodes[taken as usize].used = used;
        if !self.cold.is_empty() {
            self.cold.remove_range(start as usize, (start + size) as usize);
        }
        Some(start)
    }

    /// Puts the range back that starts at a unit; its size, or `None` when none of this use starts there.
    pub(super) fn put(&mut self, offset: u32, used: Use) -> Option<u32> {
        let number = self.used_at(offset, used)?;
        let size = self.nodes[number as usize].size;
        self.nodes[number as usize].used = Use::Free;
        let Node { before, after, .. } = self.nodes[number as usize];
        let mut whole = number;
        if self.is_free(after) {
            self.unshelve(after);
            self.absorb_next(number);
        }
        if self.is_free(before) {
            self.unshelve(before);
            self.absorb_next(before);
            whole = before;
        }
        self.shelve(whole);
        Some(size)
    }

    /// Ends a grant and keeps its range from everybody, until it is put back as one that is leaving.
    pub(super) fn withdraw(&mut self, offset: u32) {
        if let Some(number) = self.used_at(offset, Use::Grant) {
            self.nodes[number as usize].used = Use::Leaving;
        }
    }

    /// Notes that units of a free range were given back.
    pub(super) fn note_cold(&mut self, first: u32, count: u32) {
        self.cold.insert_range(first as usize, (first + count) as usize);
    }

    /// The size of the range of this use that starts at a unit.
    pub(super) fn size_at(&self, offset: u32, used: Use) -> Option<u32> {
        self.used_at(offset, used).map(|number| self.nodes[number as usize].size)
    }

    fn used_at(&self, offset: u32, used: Use) -> Option<u32> {
        let number = self.at.get(offset as usize)?.checked_sub(1)?;
        (self.nodes[number as usize].used == used).then_some(number)
    }

    fn is_free(&self, number: u32) -> bool {
        number != NONE && self.nodes[number as usize].used == Use::Free
    }

    /// Units of a range that begin at a multiple of `alignment`.
    pub(super) fn aligned(offset: u32, size: u32, alignment: u32) -> u32 {
        size.saturating_sub(offset.next_multiple_of(alignment) - offset)
    }

    /// A free node that holds the request. The first of a bin in which all do; if there is none, one of
    /// the smaller bins by looking at each.
    fn find(&self, size: u32, alignment: u32) -> Option<u32> {
        let sure = size.checked_add(alignment - 1)?;
        if let Some(bin) = self.first_bin(bin_above(sure)) {
            return Some(self.bins[bin]);
        }
        let mut from = bin(size);
        while let Some(bin) = self.first_bin(from) {
            let mut number = self.bins[bin];
            while number != NONE {
                let node = &self.nodes[number as usize];
                if Self::aligned(node.offset, node.size, alignment) >= size {
                    return Some(number);
                }
                number = node.next;
            }
            from = bin + 1;
        }
        None
    }

    /// The first filled bin from `from` on.
    fn first_bin(&self, from: usize) -> Option<usize> {
        for word in from / 64..self.filled.len() {
            let above = if word == from / 64 { !0 << (from % 64) } else { !0 };
            let filled = self.filled[word] & above;
            if filled != 0 {
                return Some(64 * word + filled.trailing_zeros() as usize);
            }
        }
        None
    }

    fn add(&mut self, offset: u32, size: u32, before: u32, after: u32) -> u32 {
        let node = Node { offset, size, before, after, previous: NONE, next: NONE, used: Use::Free };
        let number = match self.spare.pop() {
            Some(number) => {
                self.nodes[number as usize] = node;
                number
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        self.at[offset as usize] = number + 1;
        number
    }

    fn insert_after(&mut self, number: u32, offset: u32, size: u32) -> u32 {
        let after = self.nodes[number as usize].after;
        let added = self.add(offset, size, number, after);
        self.nodes[number as usize].after = added;
        if after != NONE {
            self.nodes[after as usize].before = added;
        }
        added
    }

    /// Joins a node with the one after it, which is in no bin.
    fn absorb_next(&mut self, number: u32) {
        let next = self.nodes[number as usize].after;
        let Node { offset, size, after, .. } = self.nodes[next as usize];
        self.nodes[number as usize].size += size;
        self.nodes[number as usize].after = after;
        if after != NONE {
            self.nodes[after as usize].before = number;
        }
        self.at[offset as usize] = 0;
        self.spare.push(next);
    }

    fn shelve(&mut self, number: u32) {
        let bin = bin(self.nodes[number as usize].size);
        let first = self.bins[bin];
        self.nodes[number as usize].previous = NONE;
        self.nodes[number as usize].next = first;
        if first != NONE {
            self.nodes[first as usize].previous = number;
        }
        self.bins[bin] = number;
        self.filled[bin / 64] |= 1 << (bin % 64);
    }

    fn unshelve(&mut self, number: u32) {
        let Node { size, previous, next, .. } = self.nodes[number as usize];
        let bin = bin(size);
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        if previous != NONE {
            self.nodes[previous as usize].next = next;
            return;
        }
        self.bins[bin] = next;
        if next == NONE {
            self.filled[bin / 64] &= !(1 << (bin % 64));
        }
    }

    /// All nodes in the order of the region.
    fn iter(&self) -> impl Iterator<Item = &Node> {
        let first = self.at.first().and_then(|number| number.checked_sub(1));
        std::iter::successors(first.map(|first| &self.nodes[first as usize]), |node| {
            (node.after != NONE).then(|| &self.nodes[node.after as usize])
        })
    }

    /// Granted units and ranges, free ranges, and the most that one of these serves: `serves` tells it of a range's
    /// first unit and size.
    pub(super) fn count(&self, serves: impl Fn(u32, u32) -> u32) -> (u64, u64, u64, u64) {
        self.iter().fold((0, 0, 0, 0), |(units, used, free, largest), node| {
            if node.used != Use::Free {
                (units + u64::from(node.size), used + 1, free, largest)
            } else {
                (units, used, free + 1, largest.max(u64::from(serves(node.offset, node.size))))
            }
        })
    }

    /// Calls `each` with every free stretch that has its pages, as first unit and number of units;
    /// `each` says which part of it, so, has none any more.
    pub(super) fn cool(&mut self, mut each: impl FnMut(u32, u32) -> (u32, u32)) {
        let mut next = self.at.first().and_then(|number| number.checked_sub(1)).unwrap_or(NONE);
        while next != NONE {
            let Node { offset, size, after, used, .. } = self.nodes[next as usize];
            next = after;
            let end = offset + size;
            let mut unit = if used == Use::Free { offset } else { end };
            while unit < end {
                let from = unit;
                while unit < end && !self.cold.has(unit as usize) {
                    unit += 1;
                }
                if unit > from {
                    let (first, count) = each(from, unit - from);
                    self.note_cold(first, count);
                }
                unit += 1;
            }
        }
    }

    /// What must hold: neighbours touch, no two free ones do, each free one is in its bin.
    pub(super) fn check(&self) -> Result<(), String> {
        let (mut end, mut was_free, mut free) = (0, false, 0);
        for node in self.iter() {
            if node.offset != end || node.size == 0 {
                return Err(format!(
                    "a range at {} does not begin where the last one ends, {end}",
                    node.offset
                ));
            }
            if was_free && node.used == Use::Free {
                return Err(format!("two free ranges meet at {end}"));
            }
            end += node.size;
            was_free = node.used == Use::Free;
            free += u32::from(was_free);
        }
        if end as usize != self.at.len() {
            return Err(format!("the last range ends at {end} of {}", self.at.len()));
        }
        for (number, first) in self.bins.iter().enumerate() {
            if (self.filled[number / 64] >> (number % 64) & 1 == 1) != (*first != NONE) {
                return Err(format!("bin {number} says that it is what it is not"));
            }
            let mut next = *first;
            while next != NONE {
                let node = &self.nodes[next as usize];
                if node.used != Use::Free || bin(node.size) != number {
                    return Err(format!("a range of {} units is in bin {number}", node.size));
                }
                free = free.checked_sub(1).ok_or("more ranges in bins than free ones")?;
                next = node.next;
            }
        }
        if free == 0 { Ok(()) } else { Err(format!("{free} free ranges are in no bin")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{bin, bin_above};

    #[test]
    fn every_range_of_the_bin_above_holds_the_size() {
        for size in (1..5000).chain((0..32).map(|log2| 1 << log2)).chain([u32::MAX / 2, 12_345_678]) {
            assert!(bin(size) <= bin_above(size) && bin_above(size) <= bin(size) + 1);
            if size > 1 {
                assert!(bin(size - 1) <= bin(size));
                assert!(bin(size - 1) < bin_above(size), "a smaller range is in the bin for {size}");
            }
        }
    }
}
