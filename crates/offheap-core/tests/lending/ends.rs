//! What an isolate leaves that ends, also when its script was stopped between any two stores.

use super::script::{GIVE_STORES, Script, TAKE_LIVES, TAKE_STORES};
use super::{lending, manager, plain, pooled::MEASURES, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::state::Handle;
use std::collections::HashSet;

const SIZE: u64 = 100;

/// Nothing is live, nothing is lent, and all figures agree.
#[track_caller]
fn assert_over(manager: &Manager, allocated: u64) {
    manager.tracker.check().unwrap();
    let figures = stats(manager);
    assert_eq!((figures.current_allocated, figures.active_blocks), (0, 0));
    assert_eq!((figures.total_allocated, figures.total_freed), (allocated, allocated));
    manager.tracker.scan(|row| panic!("{row:?} is left"));
    for table in manager.tracker.tables.all() {
        manager.tracker.each_lent(&table, |handle, _| panic!("{handle:?} is still lent"));
        assert_eq!((table.word(word::LIVE), table.word(word::CLOCK)), (0, 0));
    }
}

#[test]
fn what_an_ended_isolate_had_another_can_have() {
    let manager = manager();
    let isolate = lending(manager);
    let pool = isolate.open_pool("ends", MEASURES).unwrap();
    let script = Script::new(&isolate);
    let mut handles: Vec<Handle> = (0..200).map(|_| script.allocate(plain(SIZE)).unwrap()).collect();
    let pooled: Vec<Handle> = (0..30).map(|_| script.acquire(pool, MEASURES.request.size).unwrap()).collect();
    script.release(pool, pooled[0], MEASURES.request.size).unwrap();
    for handle in handles.drain(..50) {
        script.free(handle, SIZE).unwrap();
    }
    let addresses: HashSet<_> = handles.iter().map(|handle| isolate.address(handle.slot)).collect();
    let (table, committed) = (isolate.table.index(), stats(manager).committed);
    drop(isolate);
    assert_over(manager, 200 * SIZE + 30 * MEASURES.request.size);
    let next = lending(manager);
    assert_eq!(next.table.index(), table, "the table is used again");
    for dead in &handles {
        assert_eq!(next.free(*dead), Err(Code::DoubleFree.into()));
        assert_ne!(Script::new(&next).is_live(*dead), Some(true));
    }
    let taken: Vec<Handle> = (0..200).map(|_| Script::new(&next).allocate(plain(SIZE)).unwrap()).collect();
    let again: HashSet<_> = taken.iter().map(|handle| next.address(handle.slot)).collect();
    assert!(addresses.is_subset(&again), "nothing was lost");
    assert_eq!(stats(manager).committed, committed);
    assert!(taken.iter().all(|new| handles.iter().all(|old| old.id() != new.id())));
}

/// An isolate that has taken and given back three blocks of a class and of a pool, and the bytes of that.
fn warm() -> (&'static Manager, Isolate, u32, u64) {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let pool = isolate.open_pool("stops", MEASURES).unwrap();
    let handles = [(); 3].map(|()| script.allocate(plain(SIZE)).unwrap());
    let pooled = [(); 3].map(|()| script.acquire(pool, MEASURES.request.size).unwrap());
    handles.into_iter().for_each(|handle| script.free(handle, SIZE).unwrap());
    pooled.into_iter().for_each(|handle| script.release(pool, handle, MEASURES.request.size).unwrap());
    isolate.table.look(); // the next `take` stores a new maximum
    (isolate.manager(), isolate, pool, 3 * (SIZE + MEASURES.request.size))
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_take_leaves_exact_totals() {
    for stores in 0..=TAKE_STORES {
        let (manager, isolate, _, allocated) = warm();
        let taken = Script::stopped_after(&isolate, stores).take(SIZE).unwrap();
        let lives = stores >= TAKE_LIVES;
        assert_eq!(isolate.own_blocks().iter().any(|(handle, _)| *handle == taken), lives);
        drop(isolate);
        assert_over(manager, allocated + if stores == TAKE_STORES { SIZE } else { 0 });
    }
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_pools_take_leaves_exact_totals() {
    let size = MEASURES.request.size;
    for stores in 0..=TAKE_STORES {
        let (manager, isolate, pool, allocated) = warm();
        let _ = Script::stopped_after(&isolate, stores).take_pooled(pool, size).unwrap();
        drop(isolate);
        assert_over(manager, allocated + if stores == TAKE_STORES { size } else { 0 });
    }
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_give_leaves_exact_totals() {
    for stores in 0..=GIVE_STORES {
        for is_pooled in [false, true] {
            let (manager, isolate, pool, allocated) = warm();
            let script = Script::new(&isolate);
            let size = if is_pooled { MEASURES.request.size } else { SIZE };
            let handle = if is_pooled { script.take_pooled(pool, size) } else { script.take(size) }.unwrap();
            assert!(Script::stopped_after(&isolate, stores).give(handle, size));
            drop(isolate);
            assert_over(manager, allocated + size);
        }
    }
}

#[test]
fn a_lent_block_that_is_pinned_or_viewed_outlives_its_isolate_and_is_counted_once() {
    let manager = manager();
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let [pinned, viewed, _gone] = [(); 3].map(|()| script.allocate(plain(SIZE)).unwrap());
    isolate.pin(pinned).unwrap();
    isolate.show(viewed, true).unwrap();
    drop(isolate);
    let figures = stats(manager);
    assert_eq!((figures.active_blocks, manager.escaped_bytes()), (0, 2 * SIZE));
    assert_eq!((figures.total_allocated, figures.total_freed), (3 * SIZE, 3 * SIZE));
    let other = lending(manager);
    assert_eq!(other.free(pinned).unwrap_err().code, Code::InUse);
    other.unpin(pinned).unwrap();
    other.free(pinned).unwrap();
    assert_eq!(manager.escaped_bytes(), SIZE);
    manager.tracker.check().unwrap();
}

#[test]
fn the_peak_holds_what_only_a_script_had() {
    let manager = manager();
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let [_held, first] = [(); 2].map(|()| script.allocate(plain(SIZE)).unwrap());
    let next = script.take(SIZE).unwrap();
    assert!(script.give(next, SIZE) && script.give(first, SIZE));
    assert_eq!(stats(manager).peak_allocated, 3 * SIZE);
    isolate.pin(script.take(SIZE).unwrap()).unwrap();
    let native = isolate.allocate(plain(SIZE)).unwrap();
    isolate.free(native).unwrap();
    assert_eq!(stats(manager).peak_allocated, 3 * SIZE, "a block that is adopted is counted once");
    let more = [(); 5].map(|()| script.take(SIZE).unwrap());
    more.iter().for_each(|handle| assert!(script.give(*handle, SIZE)));
    isolate.pin(script.take(SIZE).unwrap()).unwrap(); // the first to look after that is who adopts
    assert_eq!(stats(manager).peak_allocated, 7 * SIZE);
}

#[test]
fn the_peak_holds_what_a_script_had_that_has_nothing_when_its_isolate_ends() {
    let manager = manager();
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let first = script.allocate(plain(SIZE)).unwrap();
    script.free(first, SIZE).unwrap();
    assert!(isolate.refill(plain(2 * SIZE)));
    let last: Vec<Handle> = std::iter::from_fn(|| script.take(2 * SIZE)).collect();
    last.iter().for_each(|handle| assert!(script.give(*handle, 2 * SIZE)));
    assert!(isolate.own_blocks().is_empty() && !last.is_empty(), "no end of a block is a look");
    drop(isolate);
    assert_eq!(stats(manager).peak_allocated, last.len() as u64 * 2 * SIZE);
}
