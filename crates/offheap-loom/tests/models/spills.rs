//! Chunks that lay in an isolate's magazines and are anybody's, when the isolate is stopped between any two stores and ends.

use super::blocks::{ONE, TWO, request, rows, stocked};
use super::script::{Script, assert_none_lent, manager};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::record::Record;
use offheap_core::tracker::state::{Handle, Slot};
use offheap_loom::{Memory, explore_exactly, join, spawn};
use std::collections::HashSet;
use std::sync::Arc;

/// Of the class of both sizes.
const CHUNK: u64 = 32 << 10;
const SPAN: u64 = 1 << 20;

/// The records of all chunks that were ever cut.
fn chunks(manager: &'static Manager) -> impl Iterator<Item = Record<'static>> {
    let slots = manager.tracker.used().iter().sum::<usize>() as u32;
    let records = (1..slots).filter_map(|slot| manager.tracker.shared(Slot(slot)));
    records.filter(|record| record.place().class != 0)
}

fn offset(manager: &'static Manager, handle: Handle) -> u64 {
    manager.tracker.shared(handle.slot).unwrap().place().offset_bytes()
}

/// What the other isolate is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Given {
    /// What lay in the first one's magazine, or was its block.
    Spilled,
    Fresh,
}

/// All is free: one isolate gets every chunk, each once, before a new one is cut.
fn assert_all_free(manager: &'static Manager) {
    assert!(rows(manager).is_empty());
    assert_none_lent(manager);
    manager.tracker.check().unwrap();
    let sum = manager.tracker.counters.sum();
    assert_eq!((sum.live_bytes(), sum.live_blocks()), (0, 0));
    let (isolate, used) = (Isolate::open(manager, Some(0)).unwrap(), manager.tracker.used());
    let count = chunks(manager).count();
    let given: HashSet<u64> =
        (0..count).map(|_| offset(manager, isolate.allocate(request(ONE)).unwrap())).collect();
    assert_eq!((given.len(), manager.tracker.used()), (count, used), "a chunk is lost, or was given twice");
}

#[test]
fn what_a_magazine_spills_is_given_to_one_also_when_its_isolate_ends_between_any_two_stores() {
    for stores in 0..=10 {
        explore_exactly(1, [Given::Spilled, Given::Fresh], move || {
            let manager = manager();
            let memory = Arc::new(Memory::new(SPAN, CHUNK));
            let (isolate, block) = stocked(manager);
            let own = chunks(manager).count() as u64;
            memory.take(offset(manager, block), CHUNK);
            let takes = {
                let (other, memory) = (Isolate::open(manager, Some(0)).unwrap(), Arc::clone(&memory));
                spawn(move || {
                    let offset = offset(manager, other.allocate(request(TWO)).unwrap());
                    memory.take(offset, CHUNK);
                    memory.leave(offset, CHUNK);
                    (if offset < own * CHUNK { Given::Spilled } else { Given::Fresh }, other)
                })
            };
            let script = Script::stopped_after(&isolate, stores);
            memory.leave(offset(manager, block), CHUNK);
            script.give_block(block, ONE); // four stores
            if stores >= 4 {
                isolate.trim(); // what lies in magazines goes to everybody
                if isolate.refill(request(TWO))
                    && let Some(taken) = script.take_block(TWO)
                {
                    memory.take(offset(manager, taken), CHUNK); // six stores, when it is not stopped before
                    memory.leave(offset(manager, taken), CHUNK);
                }
            }
            drop(isolate);
            let (given, other) = join(takes);
            drop(other);
            assert_all_free(manager);
            given
        });
    }
}
