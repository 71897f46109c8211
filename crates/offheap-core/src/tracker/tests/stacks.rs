//! The free stack: its chains, and what happens when they change under a pop.

use super::super::stack::{Chain, Links, Stack};
use super::super::state::Slot;
use super::super::table::Tracker;
use super::check;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// What other threads do meanwhile.
type Meanwhile<'a> = Box<dyn FnOnce(&Plain<'a>) + 'a>;

/// Links in an array, and one interruption: what other threads do while a link is read.
struct Plain<'a> {
    links: RefCell<Vec<u32>>,
    reads: Cell<u32>,
    interruption: RefCell<Option<Meanwhile<'a>>>,
}

impl<'a> Plain<'a> {
    fn new(count: usize) -> Self {
        Self { links: RefCell::new(vec![0; count]), reads: Cell::new(0), interruption: RefCell::default() }
    }

    /// Runs `act` right after the next link was read.
    fn interrupt(&self, act: impl FnOnce(&Plain<'a>) + 'a) {
        *self.interruption.borrow_mut() = Some(Box::new(act));
    }

    fn chain(&self, slots: &[u32]) -> Chain {
        for pair in slots.windows(2) {
            self.set_link(Slot(pair[0]), pair[1] + 1);
        }
        Chain { first: Slot(slots[0]), last: Slot(slots[slots.len() - 1]), count: slots.len() as u32 }
    }

    fn slots(&self, chain: Chain) -> Vec<u32> {
        let mut slots = vec![chain.first.0];
        for _ in 1..chain.count {
            slots.push(self.links.borrow()[slots[slots.len() - 1] as usize] - 1);
        }
        assert_eq!(slots[slots.len() - 1], chain.last.0);
        slots
    }
}

impl Links for Plain<'_> {
    fn link(&self, slot: Slot) -> u32 {
        self.reads.set(self.reads.get() + 1);
        assert!(self.reads.get() < 1000, "a pop walks in circles over records that are not its own");
        let link = self.links.borrow().get(slot.0 as usize).copied().unwrap_or(0);
        let interruption = self.interruption.borrow_mut().take();
        if let Some(act) = interruption {
            act(self);
        }
        link
    }

    fn set_link(&self, slot: Slot, link: u32) {
        self.links.borrow_mut()[slot.0 as usize] = link;
    }
}

#[test]
fn chains_come_back_last_in_first_out_and_in_their_own_order() {
    let (stack, links) = (Stack::new(), Plain::new(8));
    assert!(stack.is_empty() && stack.pop(&links, 1).is_none() && stack.take_all(&links).is_none());
    stack.push(&links, links.chain(&[3, 1, 4]));
    stack.push(&links, links.chain(&[5]));
    stack.push(&links, links.chain(&[2, 6]));
    assert_eq!(stack.slots(&links).unwrap(), [2, 6, 5, 3, 1, 4].map(Slot));
    assert_eq!(links.slots(stack.pop(&links, 1).unwrap()), [2]);
    assert_eq!(links.slots(stack.pop(&links, 3).unwrap()), [6, 5, 3]);
    assert_eq!(links.slots(stack.take_all(&links).unwrap()), [1, 4]);
    assert!(stack.is_empty());
}

#[test]
fn a_pop_asks_for_at_least_one_and_gets_at_most_what_is_there() {
    let (stack, links) = (Stack::new(), Plain::new(8));
    stack.push(&links, links.chain(&[0, 1, 2]));
    assert_eq!(links.slots(stack.pop(&links, 0).unwrap()), [0]);
    assert_eq!(links.slots(stack.pop(&links, 100).unwrap()), [1, 2]);
    assert!(stack.pop(&links, 0).is_none());
}

#[test]
fn a_head_that_was_popped_and_pushed_back_does_not_pass_for_the_old() {
    let (stack, links) = (Stack::new(), Plain::new(8));
    stack.push(&links, links.chain(&[0, 1, 2]));
    links.interrupt(|links| {
        assert_eq!(links.slots(stack.pop(links, 2).unwrap()), [0, 1]); // 1 stays with the other thread
        stack.push(links, links.chain(&[0]));
    });
    assert_eq!(links.slots(stack.pop(&links, 1).unwrap()), [0]);
    assert_eq!(stack.slots(&links).unwrap(), [Slot(2)], "1 has another owner and must not be free");
}

#[test]
fn taking_all_follows_no_link_of_a_record_that_somebody_else_took() {
    let (stack, links) = (Stack::new(), Plain::new(8));
    stack.push(&links, links.chain(&[0, 1, 2]));
    links.interrupt(|links| {
        if let Some(chain) = stack.pop(links, 8) {
            // The other thread's records are live now, and the words of their links are its own.
            for slot in links.slots(chain) {
                links.set_link(Slot(slot), slot + 1);
            }
        }
    });
    if let Some(chain) = stack.take_all(&links) {
        assert_eq!(links.slots(chain), [0, 1, 2]);
    }
    assert!(stack.is_empty());
}

#[test]
fn a_pop_survives_any_number_in_the_link_of_a_record_that_was_taken() {
    for garbage in [0, 1, 2, 1 << 24, (1 << 24) + 1, u32::MAX] {
        let (stack, links) = (Stack::new(), Plain::new(8));
        stack.push(&links, links.chain(&[0, 1, 2, 3]));
        links.interrupt(|links| {
            stack.pop(links, 2).unwrap();
            links.set_link(Slot(0), garbage);
            links.set_link(Slot(1), garbage);
        });
        assert_eq!(links.slots(stack.pop(&links, 32).unwrap()), [2, 3], "garbage {garbage}");
        assert!(stack.is_empty());
    }
}

#[test]
fn a_stack_that_circles_is_told() {
    let (stack, links) = (Stack::new(), Plain::new(8));
    stack.push(&links, links.chain(&[0, 1, 2]));
    links.set_link(Slot(2), 1 + 1);
    assert!(stack.slots(&links).unwrap_err().contains("twice"));
    links.set_link(Slot(2), u32::MAX);
    assert!(stack.slots(&links).unwrap_err().contains("cannot exist"));
}

/// Who has each slot: 0 nobody.
struct Owners(Vec<AtomicU32>);

impl Owners {
    fn take(&self, slots: &[Slot], thread: u32) {
        for slot in slots {
            let before = self.0[slot.0 as usize].swap(thread, Ordering::AcqRel);
            assert_eq!(before, 0, "slot {} had an owner", slot.0);
        }
    }

    fn give(&self, slots: &[Slot], thread: u32) {
        for slot in slots {
            let before = self.0[slot.0 as usize].swap(0, Ordering::AcqRel);
            assert_eq!(before, thread, "slot {} was not ours", slot.0);
        }
    }
}

#[test]
fn four_threads_exchange_chains_and_no_slot_ever_has_two_owners() {
    const SLOTS: u32 = 300;
    let tracker = Tracker::default();
    let stacks = [Stack::new(), Stack::new()];
    let owners = Owners((0..=SLOTS).map(|_| AtomicU32::new(0)).collect());
    stacks[0].push(&tracker, tracker.take(SLOTS).unwrap());
    thread::scope(|scope| {
        for thread in 1..=4 {
            let (tracker, stacks, owners) = (&tracker, &stacks, &owners);
            scope.spawn(move || exchange(tracker, stacks, owners, thread));
        }
    });
    let mut all: Vec<Slot> = stacks.iter().flat_map(|stack| stack.slots(&tracker).unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=SLOTS).map(Slot).collect::<Vec<_>>(), "every slot is free again, once");
    check(&tracker);
}

/// Pops, mixes and pushes chains; a record in hand is scribbled on like a live one.
fn exchange(tracker: &Tracker, stacks: &[Stack; 2], owners: &Owners, thread: u32) {
    let mut random = u64::from(thread);
    let mut next = |below: u64| {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (random >> 33) % below
    };
    let mut held: Vec<Slot> = Vec::new();
    for _ in 0..30_000 {
        let stack = &stacks[next(2) as usize];
        let popped = match next(64) {
            0 => stack.take_all(tracker),
            1..=31 => stack.pop(tracker, next(40) as u32),
            _ => None,
        };
        if let Some(chain) = popped {
            let mut slots = Vec::new();
            tracker.walk(chain, |slot| slots.push(slot));
            assert_eq!((slots.len(), slots.last()), (chain.count as usize, Some(&chain.last)));
            owners.take(&slots, thread);
            for slot in &slots {
                tracker.set_link(*slot, next(1 << 24) as u32);
            }
            held.extend_from_slice(&slots);
        } else if !held.is_empty() {
            let slots = held.split_off(next(held.len() as u64) as usize);
            owners.give(&slots, thread);
            stack.push(tracker, tracker.chain(&slots).unwrap());
        }
    }
    owners.give(&held, thread);
    if let Some(chain) = tracker.chain(&held) {
        stacks[0].push(tracker, chain);
    }
}
