//! Free stacks: the tracker's and the object pool's.

use offheap_core::alloc::object_pool::ObjectPool;
use offheap_core::alloc::strategy::Strategy;
use offheap_core::tracker::stack::{Links, Stack};
use offheap_core::tracker::state::Slot;
use offheap_core::tracker::table::Tracker;
use offheap_loom::{Memory, explore, explore_exactly, join, spawn};
use std::sync::Arc;

struct Shared {
    tracker: Tracker,
    stack: Stack,
}

/// A stack of so many records.
fn stack(count: u32) -> (Arc<Shared>, Vec<Slot>) {
    let tracker = Tracker::with_segments(1);
    let mut all = Vec::new();
    let chain = tracker.take(count).unwrap();
    tracker.walk(chain, |slot| all.push(slot));
    let stack = Stack::new();
    stack.push(&tracker, tracker.chain(&all).unwrap());
    (Arc::new(Shared { tracker, stack }), all)
}

fn pop(shared: &Shared, most: u32) -> Vec<Slot> {
    let mut slots = Vec::new();
    if let Some(chain) = shared.stack.pop(&shared.tracker, most) {
        shared.tracker.walk(chain, |slot| slots.push(slot));
    }
    slots
}

fn push(shared: &Shared, slots: &[Slot]) {
    if let Some(chain) = shared.tracker.chain(slots) {
        shared.stack.push(&shared.tracker, chain);
    }
}

/// Every slot is in the stack or in somebody's hands, once.
fn assert_whole(shared: &Shared, all: &[Slot], held: impl IntoIterator<Item = Slot>) {
    let mut found = shared.stack.slots(&shared.tracker).unwrap();
    found.extend(held);
    found.sort_unstable();
    assert_eq!(found, all);
}

#[test]
fn two_who_pop_one_by_one_get_each_slot_once() {
    explore(None, || {
        let (shared, all) = stack(2);
        let other = {
            let shared = Arc::clone(&shared);
            spawn(move || pop(&shared, 1))
        };
        let mut held = pop(&shared, 1);
        held.extend(join(other));
        assert_eq!(held.len(), 2);
        assert_whole(&shared, &all, held);
    });
}

#[test]
fn a_pop_is_not_fooled_when_the_same_slot_is_on_top_again_also_where_tags_begin_anew() {
    // Which slot was popped, and which by the other thread in the end: before it began, after its first pop, after its
    // second, and after its push.
    let allowed = [(0, 2), (1, 2), (2, 1), (0, 1)];
    for turns in 0..4 {
        explore_exactly(None, allowed, move || {
            let (shared, all) = stack(3);
            for _ in 0..turns {
                push(&shared, &pop(&shared, 1)); // two tags further
            }
            let other = {
                let shared = Arc::clone(&shared);
                spawn(move || {
                    let (first, second) = (pop(&shared, 1), pop(&shared, 1));
                    push(&shared, &first); // on top again, and what was below it is gone
                    second
                })
            };
            let held = [pop(&shared, 1)[0], join(other)[0]];
            assert_whole(&shared, &all, held);
            let [mine, theirs] = held.map(|slot| all.iter().position(|each| *each == slot).unwrap());
            (mine, theirs)
        });
    }
}

#[test]
fn chains_that_are_popped_and_pushed_at_once_stay_whole() {
    explore(3, || {
        let (shared, all) = stack(3);
        let other = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let popped = pop(&shared, 2);
                push(&shared, &popped);
            })
        };
        let held = pop(&shared, 2);
        push(&shared, &held[..held.len() / 2]);
        join(other);
        assert_whole(&shared, &all, held[held.len() / 2..].iter().copied());
    });
}

#[test]
fn who_takes_all_and_who_pops_share_no_slot_and_lose_none() {
    explore(None, || {
        let (shared, all) = stack(3);
        let other = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let mut slots = Vec::new();
                if let Some(chain) = shared.stack.take_all(&shared.tracker) {
                    shared.tracker.walk(chain, |slot| slots.push(slot));
                }
                slots
            })
        };
        let popped = pop(&shared, 1);
        push(&shared, &popped);
        assert_whole(&shared, &all, join(other));
    });
}

#[test]
fn fresh_records_and_given_back_ones_are_taken_by_one_each() {
    explore(3, || {
        let tracker = Arc::new(Tracker::with_segments(1));
        tracker.open().unwrap();
        let take = |tracker: Arc<Tracker>| {
            move || {
                let first = tracker.take(1).unwrap();
                let second = tracker.take(1).unwrap();
                tracker.give(first);
                second.first
            }
        };
        let other = spawn(take(Arc::clone(&tracker)));
        let mine = take(Arc::clone(&tracker))();
        assert_ne!(mine, join(other));
        tracker.check().unwrap();
    });
}

/// Two slots of an object pool, and the memory of both.
struct Pool {
    pool: ObjectPool,
    memory: Memory,
}

const HALF: u64 = 2048;

fn pool() -> Arc<Pool> {
    let pool = ObjectPool::new(2 * HALF, 16).unwrap();
    Arc::new(Pool { pool, memory: Memory::new(2 * HALF, HALF) })
}

impl Pool {
    fn take(&self) -> u64 {
        let grant = self.pool.allocate(HALF).unwrap();
        self.memory.take(grant.offset, HALF);
        grant.offset
    }

    fn give(&self, offset: u64) {
        self.memory.leave(offset, HALF);
        assert_eq!(self.pool.free(offset).unwrap(), HALF);
    }

    /// After so many grants, of which none is live.
    fn assert_free(&self, grants: u32) {
        self.pool.check().unwrap();
        assert_eq!(self.pool.usage().largest_free, 2 * HALF);
        self.memory.assert_writes(grants);
    }
}

#[test]
fn two_who_share_an_object_pool_never_hold_the_same_slot() {
    explore(2, || {
        let pool = pool();
        let uses = |pool: Arc<Pool>| {
            move || {
                let first = pool.take();
                pool.give(first);
                pool.take()
            }
        };
        let other = spawn(uses(Arc::clone(&pool)));
        let (mine, theirs) = (uses(Arc::clone(&pool))(), join(other));
        assert_ne!(mine, theirs);
        pool.give(mine);
        pool.give(theirs);
        pool.assert_free(4);
    });
}

#[test]
fn a_slot_of_an_object_pool_that_one_frees_while_another_counts_is_not_lost() {
    explore(3, || {
        let pool = pool();
        let (one, two) = (pool.take(), pool.take());
        let counts = {
            let pool = Arc::clone(&pool);
            spawn(move || pool.pool.usage())
        };
        pool.give(one);
        let again = pool.take(); // the counter may have it in its hands: then this waits
        let usage = join(counts);
        assert!(usage.held + usage.free == 2 * HALF && usage.blocks <= 2);
        pool.give(two);
        pool.give(again);
        pool.assert_free(3);
    });
}

#[test]
fn a_cell_of_an_object_pool_never_serves_two_sizes_at_once() {
    explore(3, || {
        let pool = pool();
        let one = pool.take();
        let other = {
            let pool = Arc::clone(&pool);
            spawn(move || {
                let whole = pool.pool.allocate(2 * HALF).ok()?; // needs the cell of the halves
                pool.memory.take(whole.offset, whole.size);
                Some(whole)
            })
        };
        pool.give(one);
        let again = pool.pool.allocate(HALF).ok();
        if let Some(again) = again {
            pool.memory.take(again.offset, HALF);
        }
        let whole = join(other);
        assert!(again.is_none() || whole.is_none());
        for grant in [again, whole].into_iter().flatten() {
            pool.memory.leave(grant.offset, grant.size);
            pool.pool.free(grant.offset).unwrap();
        }
        pool.assert_free(1 + u32::from(again.is_some()) + u32::from(whole.is_some()));
    });
}
