//! Blocks whose ArrayBuffers are gone: who is collected, who is left alone. The garbage collector is
//! played by the test, with the records that a finalizer brings.

use super::{address, assert_all_free, isolate, manager, request, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::{BufferRecord, Isolate};
use offheap_core::report;
use offheap_core::tracker::state::{Handle, Slot, State};

const NOBODY: fn(Slot) -> bool = |_| false;
const SOMEBODY: fn(Slot) -> bool = |_| true;

fn shown(isolate: &Isolate, kept: bool) -> (Handle, BufferRecord) {
    let handle = isolate.allocate(request(1000)).unwrap();
    let record = isolate.show(handle, kept).unwrap();
    (handle, record)
}

#[test]
fn a_block_is_collected_when_its_last_buffer_and_its_handle_are_gone() {
    for kept in [true, false] {
        let manager = manager();
        let isolate = isolate(manager);
        let (handle, whole) = shown(&isolate, kept);
        let part = isolate.show(handle, false).unwrap();
        isolate.buffer_gone(whole, NOBODY);
        assert_eq!((manager.collected(), stats(manager).active_blocks), (0, 1), "a part is still seen");
        isolate.buffer_gone(part, NOBODY);
        assert_eq!((manager.collected(), stats(manager).active_blocks), (1, 0));
        assert_eq!(isolate.free(handle).unwrap_err().code, Code::DoubleFree);
        assert_all_free(manager);
    }
}

#[test]
fn a_block_whose_handle_lives_is_not_collected_before_that_is_gone() {
    let manager = manager();
    let isolate = isolate(manager);
    let (handle, record) = shown(&isolate, true);
    isolate.buffer_gone(record, SOMEBODY);
    isolate.settle(SOMEBODY);
    assert_eq!((manager.collected(), stats(manager).active_blocks), (0, 1));
    isolate.settle(NOBODY);
    assert_eq!(manager.collected(), 1);
    isolate.settle(NOBODY);
    assert_eq!(manager.collected(), 1, "once");
    assert_eq!(isolate.unpin(handle).unwrap_err().code, Code::UseAfterFree);
    assert_all_free(manager);
}

#[test]
fn a_pinned_block_is_not_collected_before_it_is_unpinned() {
    let manager = manager();
    let isolate = isolate(manager);
    let (handle, record) = shown(&isolate, true);
    isolate.pin(handle).unwrap();
    isolate.buffer_gone(record, NOBODY);
    isolate.settle(NOBODY);
    assert_eq!(manager.collected(), 0);
    isolate.unpin(handle).unwrap();
    isolate.settle(NOBODY);
    assert_eq!(manager.collected(), 1);
    assert_all_free(manager);
}

#[test]
fn a_late_finalizer_does_not_touch_the_next_owner() {
    let manager = manager();
    let isolate = isolate(manager);
    let (first, late) = shown(&isolate, false);
    isolate.free(first).unwrap();
    let next = next_owner(&isolate, first);
    let own = isolate.show(next, false).unwrap();
    isolate.buffer_gone(late, NOBODY);
    assert_eq!((manager.collected(), stats(manager).active_blocks), (0, 1));
    isolate.free(next).unwrap();
    isolate.buffer_gone(own, NOBODY);
    assert_eq!(manager.collected(), 0, "free came first");
    assert_all_free(manager);
}

/// Goes on until a block stands on the same chunk again; all others are freed.
fn next_owner(isolate: &Isolate, first: Handle) -> Handle {
    let place = isolate.address(first.slot);
    let mut others = Vec::new();
    for _ in 0..2000 {
        let handle = isolate.allocate(request(1000)).unwrap();
        if isolate.address(handle.slot) == place {
            others.into_iter().for_each(|other| isolate.free(other).unwrap());
            return handle;
        }
        isolate.show(handle, false).unwrap(); // so that it displaces what waits in quarantine
        others.push(handle);
        if others.len() == 300 {
            others.drain(..).for_each(|other| isolate.free(other).unwrap());
        }
    }
    panic!("the chunk never came back");
}

#[test]
fn a_buffer_that_stays_with_the_chunk_speaks_for_the_owner_it_was_handed_to_last() {
    let manager = manager();
    let isolate = isolate(manager);
    let (first, kept) = shown(&isolate, true);
    isolate.free(first).unwrap();
    let unseen = next_owner(&isolate, first);
    isolate.buffer_gone(kept, NOBODY);
    assert_eq!(manager.collected(), 0, "this owner never looked: nobody knows that its handle is gone");
    isolate.free(unseen).unwrap();

    let (first, kept) = shown(&isolate, true);
    isolate.free(first).unwrap();
    let seen = next_owner(&isolate, first);
    isolate.hand(seen).unwrap();
    let before = stats(manager).active_blocks;
    isolate.buffer_gone(kept, NOBODY);
    assert_eq!((manager.collected(), stats(manager).active_blocks), (1, before - 1));
    assert_all_free(manager);
}

#[test]
fn escaped_memory_comes_back_when_the_last_buffer_is_gone_and_not_before() {
    let manager = manager();
    let isolate = isolate(manager);
    let (handle, whole) = shown(&isolate, true);
    let part = isolate.show(handle, false).unwrap();
    let place = address(&isolate, handle);
    isolate.free_escaped(handle).unwrap();
    assert_eq!((manager.escaped_bytes(), stats(manager).active_blocks), (1000, 0));
    let rows = report::rows(&manager.tracker, &manager.chunks);
    assert!(rows.len() == 1 && rows[0].row.handle == handle && rows[0].row.state.has(State::ESCAPED));
    isolate.buffer_gone(part, NOBODY);
    assert_eq!(manager.escaped_bytes(), 1000);
    for _ in 0..500 {
        assert_ne!(address(&isolate, isolate.allocate(request(1000)).unwrap()), place);
    }
    isolate.buffer_gone(whole, NOBODY);
    assert_eq!((manager.escaped_bytes(), manager.quarantined_bytes()), (0, 1024));
    assert_eq!(isolate.free_escaped(handle).unwrap_err().code, Code::DoubleFree);
    assert_eq!(manager.collected(), 0, "it was freed, not collected");
    assert_eq!(report::rows(&manager.tracker, &manager.chunks).len(), 500);
}

#[test]
fn a_block_that_is_freed_when_nobody_has_its_transferred_buffer_any_more_did_not_escape() {
    let manager = manager();
    let isolate = isolate(manager);
    let (handle, record) = shown(&isolate, true);
    isolate.buffer_gone(record, SOMEBODY);
    isolate.free_escaped(handle).unwrap();
    assert_eq!(manager.escaped_bytes(), 0);
    assert_all_free(manager);
}

#[test]
fn a_slot_beyond_the_first_segment_keeps_what_its_first_view_shows() {
    let manager = manager();
    let isolate = isolate(manager);
    let many: Vec<Handle> = (0..66_000).map(|_| isolate.allocate(request(16)).unwrap()).collect();
    let far = isolate.allocate(request(16)).unwrap();
    assert!(far.slot.0 >= 65_536);
    let whole = isolate.show(far, true).unwrap();
    let part = isolate.show(far, false).unwrap();
    isolate.buffer_gone(part, NOBODY);
    assert_eq!(manager.collected(), 0, "the whole buffer is still seen");
    let place = address(&isolate, far);
    isolate.free_escaped(far).unwrap();
    assert_eq!(manager.escaped_bytes(), 16, "whoever has it keeps it");
    for _ in 0..600 {
        assert_ne!(address(&isolate, isolate.allocate(request(16)).unwrap()), place);
    }
    isolate.buffer_gone(whole, NOBODY);
    assert_eq!(manager.escaped_bytes(), 0);
    drop(many);
}

#[test]
fn a_finalizer_finds_nothing_to_do_after_its_isolate_has_ended() {
    let manager = manager();
    let (ended, other) = (isolate(manager), isolate(manager));
    let (handle, record) = shown(&ended, true);
    drop(ended);
    assert_eq!(manager.escaped_bytes(), 1000);
    other.buffer_gone(record, NOBODY); // as if it had come to the wrong isolate
    assert_eq!((manager.escaped_bytes(), manager.collected()), (1000, 0));
    assert!(manager.tracker.live(handle).is_ok(), "it is kept for whoever sees it");
}
