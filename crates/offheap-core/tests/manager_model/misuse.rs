//! Handles of the past, pinned blocks, impossible requests.

use super::{MIB, address, assert_all_free, assert_stamp, isolate, manager, request, stats, write_stamp};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{Isolate, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot, State};

/// What a handle of the past gets from every operation.
#[track_caller]
fn assert_dead(isolate: &Isolate, handle: Handle) {
    assert_eq!(isolate.free(handle), Err(Code::DoubleFree.into()));
    assert_eq!(isolate.free_escaped(handle), Err(Code::DoubleFree.into()));
    assert_eq!(isolate.bytes(handle, 0, 1).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(isolate.chunk(handle).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(isolate.pin(handle).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(isolate.unpin(handle).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(isolate.show(handle, true).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(isolate.reallocate(handle, 9).unwrap_err().code, Code::UseAfterFree);
}

#[test]
fn a_second_free_is_an_error_and_the_next_owner_does_not_notice() {
    let isolate = isolate(manager());
    for size in [8, 1000, 100_000, 2 * MIB] {
        let old = isolate.allocate(request(size)).unwrap();
        let place = address(&isolate, old);
        isolate.free(old).unwrap();
        assert_dead(&isolate, old);
        let new = isolate.allocate(request(size)).unwrap();
        assert_eq!((address(&isolate, new), new.slot), (place, old.slot), "the same memory has a new owner");
        write_stamp(&isolate, new, 7, size);
        let before = stats(isolate.manager());
        assert_dead(&isolate, old);
        assert_eq!(stats(isolate.manager()), before);
        assert_stamp(&isolate, new, 7, size);
        isolate.free(new).unwrap();
    }
    assert_all_free(isolate.manager());
}

#[test]
fn a_handle_that_was_reallocated_away_is_dead_whether_the_block_moved_or_not() {
    let isolate = isolate(manager());
    for (size, new_size) in [(100, 101), (100, 5000), (100_000, 90_000), (100_000, 100), (MIB, 3 * MIB)] {
        let old = isolate.allocate(request(size)).unwrap();
        let new = isolate.reallocate(old, new_size).unwrap();
        assert_dead(&isolate, old);
        isolate.free(new).unwrap();
        assert_dead(&isolate, new);
    }
    assert_all_free(isolate.manager());
}

#[test]
fn handles_that_nobody_ever_had_are_refused() {
    let isolate = isolate(manager());
    let live = isolate.allocate(request(64)).unwrap();
    let slots =
        [Slot(0), Slot(live.slot.0 + 1), Slot(65_535), Slot(1 << 16), Slot((1 << 24) - 1), Slot(u32::MAX)];
    for slot in slots {
        for generation in [0, 1, 2, 3, u32::MAX, u32::MAX - 1, live.generation.0 + (1 << 29)] {
            assert_dead(&isolate, Handle { slot, generation: Generation(generation) });
        }
    }
    for generation in
        [live.generation.0 - 1, live.generation.0 + 1, live.generation.0 + 2, live.generation.0 + (1 << 29)]
    {
        assert_dead(&isolate, Handle { generation: Generation(generation), ..live });
    }
    isolate.free(live).unwrap();
    assert_all_free(isolate.manager());
}

#[test]
fn sizes_and_alignments_that_cannot_be_are_refused_and_nothing_is_counted() {
    let isolate = isolate(manager());
    isolate.free(isolate.allocate(request(8)).unwrap()).unwrap();
    let before = stats(isolate.manager());
    let with = |size, alignment| {
        isolate.allocate(Request {
            size,
            alignment: AlignmentCode(alignment),
            zeroed: true,
            label: Label::NONE,
        })
    };
    assert_eq!(with(0, 3).unwrap_err().code, Code::OutOfRange);
    for code in [31, 36, 63, 64, 255] {
        assert_eq!(with(8, code).unwrap_err().code, Code::InvalidValue, "alignment code {code}");
    }
    for size in [(1 << 53) - 1, (1 << 47) + 1, 1 << 47, u64::MAX] {
        let error = with(size, 3).unwrap_err();
        assert_eq!(error.code, Code::OutOfMemory, "{size}");
        assert!(error.requested >= size);
    }
    assert_eq!(stats(isolate.manager()), before);
    assert_all_free(isolate.manager());
}

#[test]
fn a_pinned_block_is_neither_freed_nor_moved_until_the_last_pin_is_gone() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(100)).unwrap();
    write_stamp(&isolate, handle, 1, 100);
    assert_eq!(isolate.unpin(handle).unwrap_err().code, Code::Corrupted);
    assert_eq!((isolate.pin(handle), isolate.pin(handle)), (Ok(0), Ok(1)));
    let before = stats(isolate.manager());
    for pins in [2, 1] {
        let refusal = Error::new(Code::InUse, 0, pins);
        assert_eq!(isolate.free(handle), Err(refusal));
        assert_eq!(isolate.free_escaped(handle), Err(refusal));
        assert_eq!(isolate.reallocate(handle, 10_000), Err(refusal));
        assert_eq!(isolate.reallocate(handle, 99), Err(refusal));
        assert_stamp(&isolate, handle, 1, 100);
        assert_eq!(stats(isolate.manager()), before);
        isolate.unpin(handle).unwrap();
    }
    isolate.free(handle).unwrap();
    assert_all_free(isolate.manager());
}

#[test]
fn a_refused_escape_leaves_no_mark() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(100)).unwrap();
    isolate.pin(handle).unwrap();
    assert_eq!(isolate.free_escaped(handle).unwrap_err().code, Code::InUse);
    let row = isolate.manager().tracker.shared_row(handle.slot).unwrap();
    assert!(!row.state.has(State::ESCAPED), "nothing changes while it is pinned");
    isolate.unpin(handle).unwrap();
    isolate.free(handle).unwrap();
    assert_eq!(isolate.manager().escaped_bytes(), 0);
    assert_all_free(isolate.manager());
}

#[test]
fn the_memory_of_an_escaped_block_is_given_to_nobody() {
    let isolate = isolate(manager());
    for size in [64, 100_000] {
        let handle = isolate.allocate(request(size)).unwrap();
        let place = address(&isolate, handle);
        isolate.show(handle, true).unwrap();
        isolate.free_escaped(handle).unwrap();
        assert_dead(&isolate, handle);
        for _ in 0..200 {
            let other = isolate.allocate(request(size)).unwrap();
            assert_ne!(address(&isolate, other), place);
        }
    }
    assert_eq!(isolate.manager().escaped_bytes(), 100_064);
    assert_eq!(isolate.address(Slot(u32::MAX)), None);
}

#[test]
fn a_block_is_read_inside_its_size_only() {
    let isolate = isolate(manager());
    let handle = isolate.allocate(request(100)).unwrap();
    assert_eq!(isolate.bytes(handle, 100, 0).unwrap().size(), 0);
    assert_eq!(
        isolate.bytes(handle, 40, 60).unwrap().address(),
        isolate.bytes(handle, 0, 1).unwrap().address() + 40
    );
    for (offset, length) in
        [(0, 101), (101, 0), (100, 1), (1, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX), (1 << 53, 0)]
    {
        let error = isolate.bytes(handle, offset, length).unwrap_err();
        assert_eq!(error, Error::new(Code::OutOfRange, offset.saturating_add(length), 100));
    }
    assert_eq!(
        isolate.chunk(handle).unwrap().size(),
        112,
        "the whole chunk, for a buffer that is kept with it"
    );
}

#[test]
fn another_isolate_frees_what_nobody_viewed_and_nothing_else() {
    let manager = manager();
    let (one, other) = (isolate(manager), isolate(manager));
    let [plain, viewed] = [(); 2].map(|()| one.allocate(request(64)).unwrap());
    one.show(viewed, true).unwrap();
    other.free(plain).unwrap();
    assert_dead(&one, plain);
    assert_eq!(other.free(viewed), Err(Code::WrongThread.into()));
    assert_eq!(other.reallocate(viewed, 65), Err(Code::WrongThread.into()));
    assert_eq!(other.free_escaped(viewed), Err(Code::WrongThread.into()));
    one.free(viewed).unwrap();
    assert_all_free(manager);
}

#[test]
fn a_chunk_with_a_kept_buffer_never_comes_into_another_isolates_hands() {
    let manager = manager();
    let (one, other) = (isolate(manager), isolate(manager));
    let size = 3 * MIB; // a class of which the cache holds few
    let viewed = [(); 3].map(|()| one.allocate(request(size)).unwrap());
    let place = address(&one, viewed[0]);
    for handle in viewed {
        one.show(handle, true).unwrap();
        one.free(handle).unwrap(); // the third of them displaces the first from the quarantine
    }
    let again = one.allocate(request(size)).unwrap();
    assert_eq!(
        address(&one, again),
        place,
        "this owner has not looked at it; the isolate keeps the buffer all the same"
    );
    assert_eq!(other.free(again), Err(Code::WrongThread.into()));
    for _ in 0..4 {
        assert_ne!(address(&other, other.allocate(request(size)).unwrap()), place);
    }
    one.free(again).unwrap();
}
