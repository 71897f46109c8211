//! Reallocation.

use super::{
    MIB, address, assert_all_free, assert_stamp, free_and_age, isolate, manager, request, stats, write_stamp,
};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};
use offheap_core::tracker::table::Tracker;

/// Nothing of a block has changed.
#[track_caller]
fn assert_as_it_was(isolate: &Isolate, handle: Handle, place: u64, size: u64) {
    assert_eq!(address(isolate, handle), place);
    assert_stamp(isolate, handle, 5, size);
    let stats = stats(isolate.manager());
    assert_eq!((stats.current_allocated, stats.active_blocks), (size, 1));
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn contents_alignment_and_label_move_with_the_block() {
    let isolate = isolate(manager());
    let label = isolate.manager().tracker.labels.intern("frames");
    let sizes = [1, 16, 17, 1000, 4096, 32 << 10, (32 << 10) + 1, 100_000, MIB, 3 * MIB];
    for code in [AlignmentCode::WORD, AlignmentCode(6), AlignmentCode::PAGE, AlignmentCode(16)] {
        for size in sizes {
            for new_size in sizes {
                let old = isolate.allocate(Request { size, alignment: code, zeroed: false, label }).unwrap();
                write_stamp(&isolate, old, 9, size);
                let new = isolate.reallocate(old, new_size).unwrap();
                assert_stamp(&isolate, new, 9, size.min(new_size));
                assert!(address(&isolate, new).is_multiple_of(code.bytes().unwrap() as u64));
                let row = isolate.manager().tracker.shared_row(new.slot).unwrap();
                assert_eq!((row.extent.size, row.extent.label, row.alignment), (new_size, label.0, code));
                isolate.free(new).unwrap();
            }
        }
    }
    assert_all_free(isolate.manager());
}

#[test]
fn a_block_moves_only_when_it_must() {
    let isolate = isolate(manager());
    let (small, large) = (isolate.allocate(request(1000)).unwrap(), isolate.allocate(request(MIB)).unwrap());
    let places = (address(&isolate, small), address(&isolate, large));
    let small = isolate.reallocate(small, 1024).unwrap();
    let large = isolate.reallocate(large, MIB - 100_000).unwrap();
    assert_eq!(
        (address(&isolate, small), address(&isolate, large)),
        places,
        "there was room, and not too much"
    );
    let small = isolate.reallocate(small, 16).unwrap();
    assert_ne!(address(&isolate, small), places.0, "a chunk is not held for a sixtieth of it");
}

#[test]
fn a_reallocation_that_the_limit_refuses_leaves_the_block_as_it_was() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(1000)).unwrap();
    write_stamp(&isolate, handle, 5, 1000);
    let place = address(&isolate, handle);
    isolate.manager().set_limit(Some(1500));
    assert_eq!(isolate.reallocate(handle, 1501), Err(Error::new(Code::Limit, 501, 500)));
    assert_as_it_was(&isolate, handle, place, 1000);
    isolate.prepare_reallocation(handle, 1500).unwrap();
    isolate.manager().set_limit(Some(1499)); // between the two steps
    assert_eq!(isolate.commit_reallocation(), Err(Error::new(Code::Limit, 500, 499)));
    assert_as_it_was(&isolate, handle, place, 1000);
    isolate.manager().set_limit(Some(10));
    let smaller = isolate.reallocate(handle, 900).unwrap(); // shrinking always fits
    assert_stamp(&isolate, smaller, 5, 900);
    isolate.free(smaller).unwrap();
    assert_all_free(isolate.manager());
}

#[test]
fn a_reallocation_that_memory_refuses_leaves_the_block_as_it_was() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(1000)).unwrap();
    write_stamp(&isolate, handle, 5, 1000);
    let place = address(&isolate, handle);
    for size in [1 << 47, (1 << 47) + 1, (1 << 53) - 1] {
        assert_eq!(isolate.reallocate(handle, size).unwrap_err().code, Code::OutOfMemory);
        assert_as_it_was(&isolate, handle, place, 1000);
    }
    assert_eq!(isolate.reallocate(handle, 0).unwrap_err().code, Code::OutOfRange);
    assert_as_it_was(&isolate, handle, place, 1000);
}

#[test]
fn what_was_prepared_and_given_up_is_free_again() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(1000)).unwrap();
    write_stamp(&isolate, handle, 5, 1000);
    let place = address(&isolate, handle);
    let first = isolate.allocate(request(MIB)).unwrap();
    isolate.free(first).unwrap();
    isolate.trim();
    let committed = stats(isolate.manager()).committed;
    for _ in 0..5 {
        isolate.prepare_reallocation(handle, MIB).unwrap();
        isolate.abort_reallocation();
        isolate.prepare_reallocation(handle, MIB).unwrap(); // and a second one takes the place of the first
        isolate.prepare_reallocation(handle, 1001).unwrap();
        isolate.abort_reallocation();
        assert_as_it_was(&isolate, handle, place, 1000);
    }
    isolate.abort_reallocation();
    assert_eq!(isolate.commit_reallocation().unwrap_err().code, Code::Corrupted, "nothing is prepared");
    isolate.trim();
    assert_eq!(stats(isolate.manager()).committed, committed);
}

#[test]
fn a_block_that_changed_between_the_steps_is_not_moved() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(1000)).unwrap();
    write_stamp(&isolate, handle, 5, 1000);
    let place = address(&isolate, handle);
    isolate.prepare_reallocation(handle, 100_000).unwrap();
    isolate.pin(handle).unwrap();
    assert_eq!(isolate.commit_reallocation(), Err(Error::new(Code::InUse, 0, 1)));
    assert_as_it_was(&isolate, handle, place, 1000);
    isolate.unpin(handle).unwrap();
    isolate.prepare_reallocation(handle, 100_000).unwrap();
    isolate.free(handle).unwrap();
    assert_eq!(isolate.commit_reallocation().unwrap_err().code, Code::UseAfterFree);
    assert_all_free(isolate.manager());
}

#[test]
fn the_peak_of_a_reallocation_counts_the_block_once() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(MIB)).unwrap();
    let grown = isolate.reallocate(handle, 3 * MIB).unwrap();
    assert_eq!(stats(isolate.manager()).peak_allocated, 3 * MIB);
    let shrunk = isolate.reallocate(grown, 100).unwrap();
    let stats = stats(isolate.manager());
    assert_eq!((stats.peak_allocated, stats.current_allocated, stats.active_blocks), (3 * MIB, 100, 1));
    isolate.free(shrunk).unwrap();
    assert_all_free(isolate.manager());
}

#[test]
fn blocks_go_on_when_their_records_are_spent() {
    let isolate = isolate(manager());
    for size in [64, 100_000] {
        for lives_left in 0..3 {
            let first = isolate.allocate(request(size)).unwrap();
            let place = address(&isolate, first);
            free_and_age(&isolate, first, lives_left);
            let mut handles = vec![first];
            for life in 0..5 {
                let handle = isolate.allocate(request(size)).unwrap();
                assert_eq!(address(&isolate, handle), place, "life {life}: the same memory");
                assert!(handles.iter().all(|old| old.id() != handle.id()));
                assert!(handles.iter().all(|old| isolate.free(*old) == Err(Code::DoubleFree.into())));
                assert!(
                    handles.iter().all(|old| isolate.address(old.slot) == Some(place)),
                    "old handles tell their address"
                );
                isolate.free(handle).unwrap();
                handles.push(handle);
            }
            // The chunk must stay under the others for the next round.
            let _ = isolate.allocate(request(size)).unwrap();
        }
    }
    assert_eq!(isolate.manager().tracker.retired(), 6);
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn a_reallocation_in_place_of_a_spent_record_keeps_the_block() {
    let isolate = isolate(manager());
    for lives_left in 0..3 {
        let first = isolate.allocate(request(1000)).unwrap();
        free_and_age(&isolate, first, lives_left);
        let mut handle = isolate.allocate(request(1000)).unwrap();
        write_stamp(&isolate, handle, 5, 1000);
        for size in [1001, 1002, 1003, 1000] {
            handle = isolate.reallocate(handle, size).unwrap();
            assert_stamp(&isolate, handle, 5, 1000);
        }
        assert_eq!(stats(isolate.manager()).current_allocated, 1000);
        isolate.free(handle).unwrap();
        isolate.manager().tracker.check().unwrap();
    }
    assert_all_free(isolate.manager());
}

/// A door to a manager that has one segment of records.
fn small_isolate() -> Isolate {
    let mut manager = Manager::default();
    manager.tracker = Tracker::with_segments(1);
    isolate(Box::leak(Box::new(manager)))
}

/// Takes every record there is, so that none is left to replace a spent one.
fn exhaust(isolate: &Isolate) {
    while isolate.manager().tracker.take(u32::MAX).is_ok() {}
}

#[test]
fn without_a_record_to_go_on_with_a_block_is_refused_and_not_lost() {
    for size in [1000, 100_000] {
        let isolate = small_isolate();
        let [handle, spare] = [1000, size].map(|size| isolate.allocate(request(size)).unwrap());
        write_stamp(&isolate, handle, 5, 1000);
        let place = address(&isolate, handle);
        free_and_age(&isolate, spare, 0);
        exhaust(&isolate);
        let committed = stats(isolate.manager()).committed;
        for _ in 0..3 {
            // The target, in the same class or another, would need a fresh record.
            if size > 1000 {
                assert_eq!(isolate.reallocate(handle, size).unwrap_err().code, Code::OutOfMemory);
            }
            assert_eq!(isolate.allocate(request(size)).unwrap_err().code, Code::OutOfMemory);
            let stats = stats(isolate.manager());
            assert_eq!((stats.current_allocated, stats.active_blocks, stats.committed), (1000, 1, committed));
            assert_eq!(address(&isolate, handle), place);
            assert_stamp(&isolate, handle, 5, 1000);
        }
        isolate.free(handle).unwrap();
    }
}

#[test]
fn a_block_in_the_last_life_of_its_record_is_not_lost_by_a_refused_reallocation() {
    let isolate = small_isolate();
    let first = isolate.allocate(request(1000)).unwrap();
    free_and_age(&isolate, first, 1);
    let handle = isolate.allocate(Request { label: Label::OTHER, ..request(1000) }).unwrap();
    write_stamp(&isolate, handle, 5, 1000);
    let place = address(&isolate, handle);
    exhaust(&isolate);
    // There may be free chunks of the class left: then it moves. Else it is refused and stays.
    for _ in 0..100 {
        match isolate.reallocate(handle, 1001) {
            Ok(moved) => {
                assert_stamp(&isolate, moved, 5, 1000);
                isolate.free(moved).unwrap();
                break;
            }
            Err(error) => {
                assert_eq!(error.code, Code::OutOfMemory);
                assert_eq!(address(&isolate, handle), place);
                assert_stamp(&isolate, handle, 5, 1000);
            }
        }
    }
}
