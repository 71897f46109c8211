//! What ends many grants at once, and what holds it off.

use super::{
    MIB, RECORDED, allocate, assert_all_free, code, isolate, manager, measures, open, reads, stamp, stats,
};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::tracker::label::Label;

#[test]
fn a_reset_ends_every_grant_and_gives_everything_back() {
    let manager = manager();
    let (isolate, other) = (isolate(manager), isolate(manager));
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        open(&other, kind, MIB);
        let taken: Vec<_> = (1..100).map(|size| allocate(&isolate, id, size)).collect();
        let theirs = allocate(&other, id, 50);
        isolate.reset_allocator(id).unwrap();
        assert_all_free(&isolate, id);
        for taken in taken.into_iter().chain([theirs]) {
            let refused = code(isolate.free_in(id, taken.handle, 1));
            assert_eq!(refused, if kind == Kind::Arena { Code::UseAfterFree } else { Code::DoubleFree });
        }
        let largest = isolate.allocate_in(id, u64::MAX, Label::NONE).unwrap_err().available;
        assert!(allocate(&isolate, id, largest).granted >= largest, "{kind:?}");
        isolate.reset_allocator(id).unwrap();
    }
}

#[test]
fn a_pin_holds_off_free_reset_and_close_and_nothing_changes() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        let (pinned, loose) = (allocate(&isolate, id, 100), allocate(&isolate, id, 100));
        let other = allocate(&isolate, id, 100);
        isolate.pin_in(id, pinned.handle).unwrap();
        isolate.pin_in(id, pinned.handle).unwrap();
        isolate.pin_in(id, other.handle).unwrap();
        let before = stats(&isolate, id);
        for refused in [isolate.reset_allocator(id), isolate.close_allocator(id)] {
            let refused = refused.unwrap_err();
            assert_eq!((refused.code, refused.available), (Code::InUse, 3), "{kind:?}");
        }
        if kind != Kind::Arena {
            assert_eq!(code(isolate.free_in(id, pinned.handle, 100)), Code::InUse, "{kind:?}");
        }
        assert_eq!(stats(&isolate, id), before);
        isolate.free_in(id, loose.handle, 100).unwrap();
        isolate.unpin_in(id, other.handle).unwrap();
        isolate.unpin_in(id, pinned.handle).unwrap();
        isolate.unpin_in(id, pinned.handle).unwrap();
        assert_eq!(code(isolate.unpin_in(id, pinned.handle)), Code::Corrupted);
        isolate.reset_allocator(id).unwrap();
        assert_eq!(code(isolate.pin_in(id, pinned.handle)), Code::UseAfterFree);
        assert_all_free(&isolate, id);
    }
}

#[test]
fn epochs_tell_lives_and_resets() {
    let manager = manager();
    let isolate = isolate(manager);
    let id = open(&isolate, Kind::Ring, MIB);
    let words = || {
        let mut copy = [0_u8; 8];
        let bytes = manager.allocators.epochs().unwrap().slice(8 * u64::from(id.number), 8).unwrap();
        offheap_core::ops::snapshot(bytes, &mut copy).unwrap();
        let word = |at: usize| u32::from_ne_bytes(copy[at..at + 4].try_into().unwrap());
        (word(0), word(4))
    };
    let (life, resets) = words();
    assert_eq!((life, life % 2), (id.life, 1));
    isolate.reset_allocator(id).unwrap();
    assert_eq!(words(), (life, resets + 1));
    isolate.close_allocator(id).unwrap();
    assert_eq!(words().0, life + 1);
    open(&isolate, Kind::Ring, MIB);
    assert_eq!(words().0, life + 2);
}

#[test]
fn what_an_ended_isolate_held_goes_back_pinned_or_not() {
    let manager = manager();
    let stays = isolate(manager);
    for kind in RECORDED {
        let id = open(&stays, kind, MIB);
        let kept = allocate(&stays, id, 100);
        let ends = isolate(manager);
        open(&ends, kind, MIB);
        for size in 1..200 {
            let taken = allocate(&ends, id, size);
            if size % 7 == 0 {
                ends.pin_in(id, taken.handle).unwrap();
            }
        }
        drop(ends);
        assert_eq!((stats(&stays, id).blocks, stats(&stays, id).requested), (1, 100), "{kind:?}");
        stays.free_in(id, kept.handle, 100).unwrap();
        stays.reset_allocator(id).unwrap();
        assert_all_free(&stays, id);
    }
}

#[test]
fn an_ended_isolate_leaves_no_pin_on_an_arena() {
    let manager = manager();
    let (stays, ends) = (isolate(manager), isolate(manager));
    let id = open(&stays, Kind::Arena, MIB);
    open(&ends, Kind::Arena, MIB);
    let (one, two) = (allocate(&ends, id, 10), allocate(&stays, id, 10));
    ends.pin_in(id, one.handle).unwrap();
    ends.pin_in(id, one.handle).unwrap();
    stays.pin_in(id, two.handle).unwrap();
    assert_eq!(stays.reset_allocator(id).unwrap_err().available, 3);
    drop(ends);
    assert_eq!(stays.reset_allocator(id).unwrap_err().available, 1);
    stays.unpin_in(id, two.handle).unwrap();
    stays.reset_allocator(id).unwrap();
}

#[test]
fn marks_are_an_arenas_alone() {
    let isolate = isolate(manager());
    let arena = open(&isolate, Kind::Arena, MIB);
    let mark = isolate.mark_in(arena).unwrap();
    for kind in RECORDED {
        let id = open(&isolate, kind, MIB);
        assert_eq!(code(isolate.mark_in(id)), Code::NotSupported);
        assert_eq!(code(isolate.rewind_in(id, mark)), Code::NotSupported);
    }
}

#[test]
fn a_rewind_ends_what_came_after_the_mark_unless_the_arena_is_pinned() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::Arena, MIB);
    let before = allocate(&isolate, id, 100);
    let mark = isolate.mark_in(id).unwrap();
    let after = allocate(&isolate, id, 100);
    isolate.pin_in(id, before.handle).unwrap();
    assert_eq!(code(isolate.rewind_in(id, mark)), Code::InUse);
    isolate.unpin_in(id, before.handle).unwrap();
    isolate.rewind_in(id, mark).unwrap();
    isolate.rewind_in(id, mark).unwrap();
    assert_eq!(code(isolate.free_in(id, after.handle, 100)), Code::UseAfterFree);
    isolate.free_in(id, before.handle, 100).unwrap();
    isolate.reset_allocator(id).unwrap();
    assert_eq!(code(isolate.rewind_in(id, mark)), Code::InvalidValue);
    let other = isolate.open_allocator("other", measures(Kind::Arena, MIB)).unwrap();
    let foreign = isolate.mark_in(other).unwrap();
    assert_eq!(code(isolate.rewind_in(id, foreign)), Code::InvalidValue);
}

#[test]
fn a_full_ring_that_overwrites_ends_its_oldest_grants_only() {
    let isolate = isolate(manager());
    let ring = Measures { overwrite: true, ..measures(Kind::Ring, 64_000) };
    let id = isolate.open_allocator("log", ring).unwrap();
    let first: Vec<_> = (0..10).map(|_| allocate(&isolate, id, 6400)).collect();
    let next = allocate(&isolate, id, 6400);
    assert_eq!(code(isolate.free_in(id, first[0].handle, 6400)), Code::DoubleFree);
    assert_eq!((next.offset, stats(&isolate, id).blocks), (first[0].offset, 10));
    stamp(&isolate, id, first[2], 5);
    isolate.pin_in(id, first[2].handle).unwrap();
    assert_eq!(allocate(&isolate, id, 6400).offset, first[1].offset);
    assert_eq!(code(isolate.allocate_in(id, 6400, Label::NONE)), Code::InUse);
    assert!(reads(&isolate, id, first[2], 5));
    isolate.unpin_in(id, first[2].handle).unwrap();
    allocate(&isolate, id, 20_000);
    assert_eq!(code(isolate.allocate_in(id, 64_001, Label::NONE)), Code::OutOfRange);
    for _ in 0..1000 {
        allocate(&isolate, id, 100);
    }
    assert_eq!(stats(&isolate, id).requested, 100 * stats(&isolate, id).blocks);
    assert_eq!(allocate(&isolate, id, 64_000).offset, 0);
    assert_eq!(stats(&isolate, id).blocks, 1);
}
