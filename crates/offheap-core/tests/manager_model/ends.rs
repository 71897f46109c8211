//! Isolates that end.

use super::{MIB, address, assert_all_free, assert_stamp, isolate, manager, request, stats, write_stamp};
use offheap_core::base::error::Code;
use offheap_core::report;
use offheap_core::tracker::state::State;
use std::thread;

const SIZES: [u64; 4] = [64, 5000, 100_000, MIB];

#[test]
fn an_isolate_that_ends_frees_what_nobody_viewed() {
    let manager = manager();
    let ended = isolate(manager);
    let mut places = Vec::new();
    for size in SIZES {
        let handle = ended.allocate(request(size)).unwrap();
        places.push(address(&ended, handle));
    }
    drop(ended);
    assert_all_free(manager);
    assert_eq!(manager.escaped_bytes(), 0);
    let next = isolate(manager);
    for (size, place) in SIZES.into_iter().zip(places) {
        let found = (0..100).any(|_| address(&next, next.allocate(request(size)).unwrap()) == place);
        assert!(found, "the chunk of {size} bytes is used again");
    }
}

#[test]
fn what_was_viewed_is_kept_for_whoever_sees_it_and_given_to_nobody() {
    let manager = manager();
    let ended = isolate(manager);
    let kept = SIZES.map(|size| {
        let handle = ended.allocate(request(size)).unwrap();
        ended.show(handle, true).unwrap();
        write_stamp(&ended, handle, 3, size);
        (handle, address(&ended, handle), size)
    });
    let number = ended.number();
    drop(ended);
    let total: u64 = SIZES.iter().sum();
    let figures = stats(manager);
    assert_eq!((manager.escaped_bytes(), figures.current_allocated, figures.active_blocks), (total, 0, 0));
    assert_eq!(
        (figures.min_block_size, figures.max_block_size),
        (0, 0),
        "no block is in the program's hands"
    );
    assert_eq!((figures.total_allocated, figures.total_freed), (total, total));

    let next = isolate(manager);
    for (handle, place, size) in kept {
        for _ in 0..200 {
            assert_ne!(address(&next, next.allocate(request(size)).unwrap()), place);
        }
        assert_stamp(&next, handle, 3, size);
        assert_eq!(next.free(handle).unwrap_err().code, Code::WrongThread);
        let row = manager.tracker.shared_row(handle.slot).unwrap();
        assert!(row.state.has(State::ORPHANED) && row.owner.number() == number, "it keeps its row");
    }
    manager.tracker.check().unwrap();
}

#[test]
fn a_block_that_was_pinned_when_its_isolate_ended_is_counted_once() {
    let manager = manager();
    let (ended, other) = (isolate(manager), isolate(manager));
    let [freed, escaped] = [(); 2].map(|()| ended.allocate(request(1000)).unwrap());
    for handle in [freed, escaped] {
        other.pin(handle).unwrap(); // as a native task does
    }
    drop(ended);
    assert_eq!((manager.escaped_bytes(), stats(manager).active_blocks), (2000, 0));
    assert_eq!(other.free(freed).unwrap_err().code, Code::InUse);
    for handle in [freed, escaped] {
        other.unpin(handle).unwrap();
    }
    let _ = other.reallocate(escaped, 2000).unwrap_err();
    other.free(freed).unwrap();
    other.free_escaped(escaped).unwrap();
    let figures = stats(manager);
    assert_eq!((figures.total_allocated, figures.total_freed), (2000, 2000), "freed once, not twice");
    assert_eq!(manager.escaped_bytes(), 1000, "one came back, the other is still out there");
    let rows = report::rows(&manager.tracker, &manager.chunks);
    assert!(rows.len() == 1 && rows[0].row.handle == escaped && rows[0].row.state.has(State::ESCAPED));
    manager.tracker.check().unwrap();
    let next = other.allocate(request(1)).unwrap();
    assert_eq!(stats(manager).current_allocated, 1);
    other.free(next).unwrap();
}

#[test]
fn a_prepared_reallocation_ends_with_its_isolate() {
    let manager = manager();
    let ended = isolate(manager);
    let handle = ended.allocate(request(1000)).unwrap();
    ended.prepare_reallocation(handle, MIB).unwrap();
    let committed = stats(manager).committed;
    drop(ended);
    assert_all_free(manager);
    let next = isolate(manager);
    next.allocate(request(MIB)).unwrap();
    assert_eq!(stats(manager).committed, committed, "the chunk that was prepared serves again");
}

#[test]
fn isolates_that_come_and_go_leave_nothing_behind() {
    let manager = manager();
    let mut committed = Vec::new();
    for round in 0..30 {
        thread::scope(|scope| {
            for thread in 0..2 {
                scope.spawn(move || {
                    let isolate = isolate(manager);
                    for count in 0..50_u64 {
                        let handle = isolate.allocate(request(100 + count * 200 + thread)).unwrap();
                        if count % 2 == 0 {
                            isolate.show(handle, true).unwrap();
                            isolate.free(handle).unwrap();
                        }
                    }
                });
            }
        });
        assert_all_free(manager);
        committed.push(stats(manager).committed);
        assert_eq!(stats(manager).total_freed, (round + 1) * 2 * 50 * (100 + 49 * 100) + (round + 1) * 50);
    }
    assert!(committed[29] <= committed[0] + 8 * MIB, "what waits in quarantine comes on top: {committed:?}");
    assert!(report::rows(&manager.tracker, &manager.chunks).is_empty());
}

#[test]
fn only_the_owners_blocks_are_its_own() {
    let manager = manager();
    let (one, other) = (isolate(manager), isolate(manager));
    assert_ne!(one.number(), other.number());
    let handle = one.allocate(request(10)).unwrap();
    other.allocate(request(20)).unwrap();
    one.pin(handle).unwrap();
    let own = one.own_blocks();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].0, own[0].1.pins()), (handle, 1));
    drop(other);
    assert_eq!(stats(manager).current_allocated, 10);
}
