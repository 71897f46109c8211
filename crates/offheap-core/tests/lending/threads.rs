//! Other threads beside a script.

use super::script::Script;
use super::{lending, manager, plain, stats};
use offheap_core::base::error::Code;
use offheap_core::tracker::state::Handle;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

const SIZE: u64 = 200;

/// Tells the other threads to stop, also when this one panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn while_lent_blocks_are_adopted_no_byte_above_the_limit_is_given() {
    let manager = manager();
    let (stop, barrier) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let other = lending(manager);
            barrier.wait();
            while !stop.load(Ordering::Relaxed) {
                let answer = other.allocate(plain(1)).map_err(|refused| refused.code);
                // Once it is over, what was live ends.
                assert!(answer == Err(Code::Limit) || stop.load(Ordering::SeqCst), "{answer:?}");
            }
        });
        let isolate = lending(manager);
        let _stop = Stop(&stop); // goes before the isolate
        let script = Script::new(&isolate);
        let handles: Vec<Handle> = (0..20_000).map(|_| script.allocate(plain(SIZE)).unwrap()).collect();
        assert!(handles.iter().filter(|handle| script.is_lent(handle.slot)).count() > 15_000);
        manager.set_limit(Some(handles.len() as u64 * SIZE));
        barrier.wait();
        for handle in handles {
            isolate.pin(handle).unwrap();
        }
    });
}

#[test]
fn a_reader_sees_whole_rows_and_sums_while_two_scripts_run() {
    let manager = manager();
    let (stop, ids) = (AtomicBool::new(false), Mutex::new(HashSet::new()));
    thread::scope(|scope| {
        let run = || {
            let isolate = lending(manager);
            let (script, mut own) = (Script::new(&isolate), Vec::new());
            for round in 0..3_000_u64 {
                let size = 1 + round % 500;
                let handle = script.allocate(plain(size)).unwrap();
                own.push(handle.id());
                if round % 7 == 0 {
                    isolate.pin(handle).unwrap();
                    isolate.unpin(handle).unwrap();
                }
                script.free(handle, size).unwrap();
            }
            for id in own {
                assert!(ids.lock().unwrap().insert(id), "an id came twice");
            }
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        scope.spawn(|| {
            let _stop = Stop(&stop);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        while !stop.load(Ordering::Relaxed) {
            manager.tracker.scan(|row| {
                assert!(row.handle.generation.is_live() && (1..=500).contains(&row.extent.size), "{row:?}");
            });
            let sum = manager.tracker.counters.sum();
            assert!(sum.allocated_bytes >= sum.freed_bytes && sum.allocations >= sum.frees, "{sum:?}");
        }
    });
    manager.tracker.check().unwrap();
    let figures = stats(manager);
    assert_eq!((figures.current_allocated, figures.active_blocks), (0, 0));
    assert_eq!(figures.total_allocated, figures.total_freed);
    assert_eq!(figures.total_allocated, 2 * (0..3_000).map(|round| 1 + round % 500).sum::<u64>());
}
