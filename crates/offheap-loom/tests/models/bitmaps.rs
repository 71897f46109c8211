//! Slab and buddy: bits that are taken and cleared, spans and pages that change hands.

use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::slab::Slab;
use offheap_core::alloc::strategy::{Grant, Strategy};
use offheap_loom::{Memory, explore, join, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A strategy and the memory that it cuts.
pub struct Cut<S> {
    pub strategy: S,
    memory: Memory,
    grants: AtomicU32, // of `std`: no part of the model
}

impl<S: Strategy> Cut<S> {
    pub fn of(strategy: S, total: u64) -> Arc<Self> {
        Arc::new(Self { strategy, memory: Memory::new(total, total / 64), grants: AtomicU32::new(0) })
    }

    pub fn take(&self, size: u64) -> Option<Grant> {
        let grant = self.strategy.allocate(size).ok()?;
        assert!(grant.size >= size);
        self.memory.take(grant.offset, grant.size);
        self.grants.fetch_add(1, Ordering::Relaxed);
        Some(grant)
    }

    /// As many as there are, `count` at most, of one size.
    pub fn take_many(&self, size: u64, count: usize) -> Vec<Grant> {
        let mut grants = Vec::new();
        let given = self.strategy.allocate_many(size, count, &mut |grant| grants.push(grant));
        assert_eq!(given, grants.len());
        for grant in &grants {
            self.memory.take(grant.offset, grant.size);
            self.grants.fetch_add(1, Ordering::Relaxed);
        }
        grants
    }

    pub fn give(&self, grant: Grant) {
        self.memory.leave(grant.offset, grant.size);
        assert_eq!(self.strategy.free(grant.offset), Ok(grant.size));
    }

    /// Nothing is live: all can be granted again.
    pub fn assert_free(&self, largest: u64) {
        let usage = self.strategy.usage();
        assert_eq!((usage.blocks, usage.held, usage.largest_free), (0, 0, largest));
        self.strategy.check().unwrap();
        self.memory.assert_writes(self.grants.load(Ordering::Relaxed));
    }
}

const SPAN: u64 = 64 << 10;
const SLOT: u64 = 16 << 10;
/// Of another class; five in a span.
const OTHER: u64 = 12 << 10;

fn slab() -> Arc<Cut<Slab>> {
    Cut::of(Slab::new(SPAN, 16).unwrap(), SPAN)
}

#[test]
fn two_who_take_and_free_slots_of_one_slab_never_hold_the_same_bytes() {
    explore(3, || {
        let slab = slab();
        let uses = |slab: Arc<Cut<Slab>>| {
            move || {
                let first = slab.take(SLOT).unwrap();
                let second = slab.take(SLOT).unwrap();
                slab.give(first);
                second
            }
        };
        let other = spawn(uses(Arc::clone(&slab)));
        let (mine, theirs) = (uses(Arc::clone(&slab))(), join(other));
        slab.give(mine);
        slab.give(theirs);
        slab.assert_free(SLOT);
    });
}

#[test]
fn what_one_owner_of_a_slot_wrote_happens_before_what_the_next_one_does() {
    explore(3, || {
        let slab = slab();
        let uses = |slab: Arc<Cut<Slab>>| {
            move || {
                let grant = slab.take(SLOT).unwrap();
                slab.give(grant); // no take in between: that would publish what was written before it
            }
        };
        let other = spawn(uses(Arc::clone(&slab)));
        uses(Arc::clone(&slab))();
        join(other);
        slab.assert_free(SLOT);
    });
}

#[test]
fn a_span_that_changes_its_class_is_never_cut_for_two_classes_at_once() {
    explore(3, || {
        let slab = slab();
        let held = slab.take(SLOT).unwrap();
        let other = {
            let slab = Arc::clone(&slab);
            spawn(move || {
                let grant = slab.take(OTHER)?;
                slab.give(grant);
                slab.take(OTHER)
            })
        };
        slab.give(held);
        let mine = slab.take(SLOT);
        let theirs = join(other);
        assert!(mine.is_some() || theirs.is_some(), "both found it full");
        for grant in [mine, theirs].into_iter().flatten() {
            slab.give(grant);
        }
        slab.assert_free(SLOT);
    });
}

#[test]
fn a_slot_that_is_freed_while_another_thread_counts_is_not_lost() {
    explore(3, || {
        let slab = slab();
        let held = slab.take(SLOT).unwrap();
        let other = {
            let slab = Arc::clone(&slab);
            spawn(move || slab.strategy.usage())
        };
        slab.give(held);
        let again = slab.take(SLOT).unwrap();
        let usage = join(other);
        assert!(usage.blocks <= 1 && usage.held + usage.free == SPAN);
        slab.give(again);
        slab.assert_free(SLOT);
    });
}

#[test]
fn who_frees_the_only_slot_of_a_full_span_is_found_by_who_waits_for_one() {
    explore(3, || {
        let slab = slab();
        let held: Vec<Grant> = (0..4).map(|_| slab.take(SLOT).unwrap()).collect();
        let other = {
            let slab = Arc::clone(&slab);
            spawn(move || slab.take(SLOT))
        };
        slab.give(held[0]);
        let theirs = join(other);
        let mine = slab.take(SLOT);
        assert!(mine.is_some() != theirs.is_some(), "the slot is lost, or was given twice");
        for grant in held[1..].iter().copied().chain(mine).chain(theirs) {
            slab.give(grant);
        }
        slab.assert_free(SLOT);
    });
}

const PAGE: u64 = 4096;

fn buddy(pages: u64) -> Arc<Cut<Buddy>> {
    Cut::of(Buddy::new(pages * PAGE, 16).unwrap(), pages * PAGE)
}

#[test]
fn two_who_take_and_free_runs_of_one_buddy_page_never_hold_the_same_bytes() {
    explore(3, || {
        let buddy = buddy(1);
        let uses = |buddy: Arc<Cut<Buddy>>, first: u64, second: u64| {
            move || {
                let first = buddy.take(first).unwrap();
                let second = buddy.take(second).unwrap();
                buddy.give(first);
                second
            }
        };
        let other = spawn(uses(Arc::clone(&buddy), 64, 256));
        let (mine, theirs) = (uses(Arc::clone(&buddy), 128, 64)(), join(other));
        buddy.give(mine);
        buddy.give(theirs);
        buddy.assert_free(PAGE);
    });
}

#[test]
fn a_page_goes_up_to_a_large_request_or_serves_a_small_one_never_both() {
    explore(3, || {
        let buddy = buddy(2);
        let held = buddy.take(64).unwrap();
        let other = {
            let buddy = Arc::clone(&buddy);
            spawn(move || buddy.take(2 * PAGE)) // needs both pages empty and joined
        };
        buddy.give(held);
        let mine = buddy.take(64);
        let theirs = join(other);
        assert_ne!(mine.is_some(), theirs.is_some());
        for grant in [mine, theirs].into_iter().flatten() {
            buddy.give(grant);
        }
        buddy.assert_free(2 * PAGE);
    });
}

#[test]
fn a_run_that_is_freed_while_another_thread_counts_is_not_lost() {
    explore(3, || {
        let buddy = buddy(1);
        let held = buddy.take(64).unwrap();
        let other = {
            let buddy = Arc::clone(&buddy);
            spawn(move || buddy.strategy.usage())
        };
        buddy.give(held);
        let again = buddy.take(128).unwrap();
        let usage = join(other);
        assert!(usage.held + usage.free == PAGE);
        buddy.give(again);
        buddy.assert_free(PAGE);
    });
}

#[test]
fn of_two_who_want_the_last_whole_page_one_gets_it() {
    explore(3, || {
        let buddy = buddy(1);
        let held = buddy.take(64).unwrap();
        let other = {
            let buddy = Arc::clone(&buddy);
            spawn(move || buddy.take(PAGE))
        };
        buddy.give(held);
        let mine = buddy.take(PAGE);
        let theirs = join(other);
        assert_ne!(mine.is_some(), theirs.is_some());
        for grant in [mine, theirs].into_iter().flatten() {
            buddy.give(grant);
        }
        buddy.assert_free(PAGE);
    });
}
