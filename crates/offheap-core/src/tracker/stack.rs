//! A free stack of slots: a Treiber stack whose links live in the records. Lock-free.

use super::state::Slot;
use crate::base::sync::{AtomicU64, Ordering, sized};

/// Where the stack keeps its links. A link is a slot's index + 1; 0 ends a chain.
pub trait Links {
    /// Reads the link of a record that may belong to somebody else by now; any value may come back,
    /// also for a slot that does not exist.
    fn link(&self, slot: Slot) -> u32;
    /// Writes the link of a free record that the caller owns.
    fn set_link(&self, slot: Slot, link: u32);

    /// Calls `each` with every record of a chain, in order. `each` may relink the record.
    fn walk(&self, chain: Chain, mut each: impl FnMut(Slot)) {
        let mut slot = chain.first;
        for left in (0..chain.count).rev() {
            let next = self.link(slot);
            each(slot);
            if left > 0 {
                slot = Slot(next.saturating_sub(1));
            }
        }
    }

    /// Makes a chain of slots that the caller owns; `None` for none.
    fn chain(&self, slots: &[Slot]) -> Option<Chain> {
        self.chain_of(slots.iter().copied())
    }

    /// The same of slots that lie in no list.
    fn chain_of(&self, slots: impl IntoIterator<Item = Slot>) -> Option<Chain> {
        let mut slots = slots.into_iter();
        let first = slots.next()?;
        let mut chain = Chain { first, last: first, count: 1 };
        for slot in slots {
            self.set_link(chain.last, slot.0 + 1);
            chain = Chain { last: slot, count: chain.count + 1, ..chain };
        }
        Some(chain)
    }
}

/// Records linked one to the next, owned by one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The first record.
    pub first: Slot,
    /// The last record; its link is meaningless.
    pub last: Slot,
    /// How many there are, at least 1.
    pub count: u32,
}

/// The head: `tag:32 | index + 1:32`. The tag changes with every push and pop, so a head that was
/// read, popped and pushed back meanwhile does not pass for the old one, unless it changed 2^32 times.
#[derive(Debug, Default)]
pub struct Stack(AtomicU64);

/// The largest tag, after which they begin anew: in a model soon.
const TAG_MAX: u32 = sized(u32::MAX as usize, 7) as u32;

const fn pack(tag: u32, link: u32) -> u64 {
    (((tag & TAG_MAX) as u64) << 32) | link as u64
}

const fn tag(head: u64) -> u32 {
    (head >> 32) as u32
}

const fn link_of(head: u64) -> u32 {
    head as u32
}

impl Stack {
    /// An empty stack.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it looks empty now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        link_of(self.0.load(Ordering::Relaxed)) == 0
    }

    /// The top, as it was a moment ago.
    pub(super) fn first(&self) -> Option<Slot> {
        link_of(self.0.load(Ordering::Acquire)).checked_sub(1).map(Slot)
    }

    /// Pushes a whole chain with one compare-exchange.
    pub fn push(&self, links: &impl Links, chain: Chain) {
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            links.set_link(chain.last, link_of(head));
            let new = pack(tag(head).wrapping_add(1), chain.first.0 + 1);
            // Release publishes the chain's links and records; pairs with the Acquire in `pop`.
            match self.0.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Pops up to `most` records (at least one) with one compare-exchange; `None` when empty.
    pub fn pop(&self, links: &impl Links, most: u32) -> Option<Chain> {
        let mut head = self.0.load(Ordering::Acquire); // pairs with the Release in `push`
        loop {
            let first = Slot(link_of(head).checked_sub(1)?);
            let (mut last, mut count) = (first, 1);
            let mut next = links.link(first);
            // While the tag stands nobody has popped these records, so their links hold. If it does
            // not stand, any number may be read here; the exchange below then fails.
            while count < most && next != 0 && next <= Slot::COUNT {
                last = Slot(next - 1);
                next = links.link(last);
                count += 1;
            }
            let new = pack(tag(head).wrapping_add(1), next);
            match self.0.compare_exchange_weak(head, new, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(Chain { first, last, count }),
                Err(now) => head = now,
            }
        }
    }

    /// Takes everything, however long it is. The records are ours before a link of them is read: a
    /// walk that is not bounded must not follow links that others may write.
    pub fn take_all(&self, links: &impl Links) -> Option<Chain> {
        let mut head = self.0.load(Ordering::Relaxed);
        let first = loop {
            let first = Slot(link_of(head).checked_sub(1)?);
            let empty = pack(tag(head).wrapping_add(1), 0);
            // Acquire: as in `pop`.
            match self.0.compare_exchange_weak(head, empty, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break first,
                Err(now) => head = now,
            }
        };
        let (mut last, mut count) = (first, 1);
        while let Some(next) = links.link(last).checked_sub(1) {
            last = Slot(next);
            count += 1;
        }
        Some(Chain { first, last, count })
    }
}
