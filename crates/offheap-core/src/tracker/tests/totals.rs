//! Counters.

use super::super::counters::{Counters, Totals};
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use std::sync::Arc;
use std::thread;

fn totals(allocated_bytes: u64, freed_bytes: u64, allocations: u64, frees: u64) -> Totals {
    Totals { allocated_bytes, freed_bytes, allocations, frees }
}

#[test]
fn sums_are_exact_after_the_threads_were_joined() {
    let counters = Arc::new(Counters::default());
    thread::scope(|scope| {
        for thread in 1..=4_u64 {
            let counters = &counters;
            scope.spawn(move || {
                let counter = counters.counter();
                for size in 1..=10_000 {
                    counter.allocated(size * thread);
                    if size % 2 == 0 {
                        counter.freed(size * thread);
                    }
                }
            });
        }
    });
    let (all, even) = (50_005_000 * 10, 25_005_000 * 10);
    assert_eq!(counters.sum(), totals(all, even, 40_000, 20_000));
    assert_eq!((counters.sum().live_bytes(), counters.sum().live_blocks()), (all - even, 20_000));
    assert!(counters.peak_bytes() >= all - even);
}

#[test]
fn a_sum_beside_running_threads_never_counts_a_free_without_its_allocation() {
    let counters = Arc::new(Counters::default());
    let base = counters.counter();
    base.allocated(1000);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let counter = counters.counter();
                    for _ in 0..50_000 {
                        counter.allocated(7);
                        counter.freed(7);
                    }
                })
            })
            .collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            let sum = counters.sum();
            assert!(sum.allocated_bytes >= sum.freed_bytes + 1000, "{sum:?}");
            assert!(sum.allocations > sum.frees, "{sum:?}");
        }
    });
    assert_eq!(counters.sum().live_bytes(), 1000);
}

#[test]
fn a_thread_that_ended_leaves_its_cell_and_its_totals() {
    let counters = Arc::new(Counters::default());
    for round in 1..=50 {
        let (counters, counter) = (&counters, counters.counter());
        thread::scope(|scope| {
            scope.spawn(move || {
                let own = counters.counter();
                own.allocated(10);
                counter.allocated(1);
            });
        });
        assert_eq!(counters.sum(), totals(round * 11, 0, round * 2, 0));
        assert_eq!(counters.cells(), 2, "two threads at a time need two cells, however many came and went");
    }
}

#[test]
fn what_one_thread_allocates_another_may_free() {
    let counters = Arc::new(Counters::default());
    let (one, other) = (counters.counter(), counters.counter());
    for _ in 0..10 {
        one.allocated(100);
        other.freed(100);
    }
    assert_eq!(counters.sum(), totals(1000, 1000, 10, 10));
    assert_eq!(counters.sum().live_bytes(), 0);
    other.allocated(5);
    assert_eq!(counters.sum().live_bytes(), 5);
}

#[test]
fn a_peak_is_never_below_what_was_seen_nor_above_what_was_live() {
    let counters = Arc::new(Counters::default());
    let (one, other) = (counters.counter(), counters.counter());
    one.allocated(300);
    other.allocated(200);
    one.freed(300);
    one.allocated(100);
    assert_eq!(counters.peak_bytes(), 500);
    drop((one, other));
    let next = counters.counter();
    next.allocated(50);
    assert_eq!((counters.peak_bytes(), counters.sum().live_bytes()), (500, 350));
    next.allocated(300);
    assert_eq!(counters.peak_bytes(), 650);
}

/// Sizes to allocate, and which of the live ones to free or resize then.
fn steps() -> impl Strategy<Value = Vec<(u64, u8, proptest::sample::Index)>> {
    proptest::collection::vec((1..1_u64 << 40, 0..4_u8, any::<proptest::sample::Index>()), 1..100)
}

proptest! {
    #[test]
    fn with_one_thread_sums_and_peak_are_those_of_a_plain_list(steps in steps(), reopen in any::<bool>()) {
        let counters = Arc::new(Counters::default());
        let mut counter = counters.counter();
        let (mut live, mut peak, mut all) = (Vec::new(), 0, Totals::default());
        for (size, act, which) in steps {
            match act {
                2 if !live.is_empty() => {
                    let old: u64 = live.swap_remove(which.index(live.len()));
                    counter.freed(old);
                    all = totals(all.allocated_bytes, all.freed_bytes + old, all.allocations, all.frees + 1);
                }
                3 if !live.is_empty() => {
                    let index = which.index(live.len());
                    counter.resized(live[index], size);
                    all = totals(all.allocated_bytes + size, all.freed_bytes + live[index], all.allocations + 1, all.frees + 1);
                    live[index] = size;
                }
                _ => {
                    counter.allocated(size);
                    live.push(size);
                    all = totals(all.allocated_bytes + size, all.freed_bytes, all.allocations + 1, all.frees);
                }
            }
            peak = peak.max(live.iter().sum());
            prop_assert_eq!(counters.sum(), all);
            if reopen {
                drop(counter);
                counter = counters.counter();
            }
        }
        prop_assert_eq!(counters.peak_bytes(), peak);
        prop_assert_eq!(counters.cells(), 1);
    }
}
