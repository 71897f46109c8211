//! What a user may do with an allocator of any kind.

use super::{MIB, RECORDED, allocate, assert_all_free, code, isolate, manager, open, reads, stamp, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Request;
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};

#[test]
fn every_kind_grants_frees_and_counts() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        let one = allocate(&isolate, id, 1000);
        let two = allocate(&isolate, id, 300);
        stamp(&isolate, id, one, 1);
        stamp(&isolate, id, two, 2);
        assert!(reads(&isolate, id, one, 1) && reads(&isolate, id, two, 2), "{kind:?}");
        let now = stats(&isolate, id);
        assert_eq!((now.blocks, now.requested, now.total), (2, 1300, MIB), "{kind:?}");
        assert!(now.held >= 1300 && now.held + now.free == MIB && now.largest_free <= now.free, "{kind:?}");
        isolate.free_in(id, one.handle, 1000).unwrap();
        isolate.free_in(id, two.handle, 300).unwrap();
        assert_eq!((stats(&isolate, id).blocks, stats(&isolate, id).requested), (0, 0), "{kind:?}");
        isolate.reset_allocator(id).unwrap();
        assert_all_free(&isolate, id);
    }
}

#[test]
fn a_second_free_is_refused_and_frees_nothing() {
    let isolate = isolate(manager());
    for kind in RECORDED {
        let id = open(&isolate, kind, MIB);
        let (one, two) = (allocate(&isolate, id, 100), allocate(&isolate, id, 100));
        isolate.free_in(id, one.handle, 100).unwrap();
        assert_eq!(code(isolate.free_in(id, one.handle, 100)), Code::DoubleFree);
        let next = allocate(&isolate, id, 100);
        assert_eq!(
            code(isolate.free_in(id, one.handle, 100)),
            Code::DoubleFree,
            "{kind:?}: also when it is used again"
        );
        assert_ne!(next.offset, two.offset);
        assert_eq!(stats(&isolate, id).blocks, 2);
    }
}

#[test]
fn sizes_that_cannot_be_and_regions_that_are_full_say_what_could() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        for size in [0, MIB + 1, 1 << 53, u64::MAX] {
            let refused = isolate.allocate_in(id, size, Label::NONE).unwrap_err();
            assert_eq!((refused.code, refused.requested), (Code::OutOfRange, size), "{kind:?}");
            assert!((1..=MIB).contains(&refused.available), "{kind:?}");
        }
        let refused = loop {
            if let Err(refused) = isolate.allocate_in(id, 10_000, Label::NONE) {
                break refused;
            }
        };
        assert_eq!((refused.code, refused.requested), (Code::RegionFull, 10_000), "{kind:?}");
        assert_eq!(refused.available, stats(&isolate, id).largest_free, "{kind:?}");
    }
}

#[test]
fn a_live_handle_of_another_owner_is_foreign_and_stays_live() {
    let isolate = isolate(manager());
    let request = Request { size: 100, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE };
    let block = isolate.allocate(request).unwrap();
    for kind in RECORDED {
        let (id, other) = (open(&isolate, kind, MIB), open(&isolate, kind, MIB).number);
        let neighbour = isolate.open_allocator("neighbour", super::measures(kind, MIB)).unwrap();
        assert_eq!(id.number, other);
        let taken = allocate(&isolate, id, 100);
        assert_eq!(code(isolate.free_in(neighbour, taken.handle, 100)), Code::ForeignBlock);
        assert_eq!(code(isolate.free_in(id, block, 100)), Code::ForeignBlock);
        assert_eq!(code(isolate.pin_in(neighbour, taken.handle)), Code::ForeignBlock);
        assert_eq!(code(isolate.free(taken.handle)), Code::ForeignBlock);
        assert_eq!(code(isolate.free_escaped(taken.handle)), Code::ForeignBlock);
        assert_eq!(code(isolate.reallocate(taken.handle, 5)), Code::ForeignBlock);
        assert_eq!(code(isolate.chunk(taken.handle)), Code::ForeignBlock);
        isolate.free_in(id, taken.handle, 100).unwrap();
        isolate.close_allocator(neighbour).unwrap();
    }
    isolate.free(block).unwrap();
}

#[test]
fn handles_that_never_were_are_refused() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        for (slot, generation) in [(0, 1), (5, 7), (1 << 23, 1), (u32::MAX, u32::MAX), (70_000, 2)] {
            let forged = Handle { slot: Slot(slot), generation: Generation(generation) };
            let refused = code(isolate.free_in(id, forged, 1));
            assert!([Code::DoubleFree, Code::UseAfterFree].contains(&refused), "{kind:?}: {refused:?}");
            assert!(isolate.pin_in(id, forged).is_err());
            assert!(isolate.unpin_in(id, forged).is_err());
        }
        assert_all_free(&isolate, id);
    }
}

#[test]
fn every_address_has_the_allocators_alignment() {
    let manager = manager();
    let isolate = isolate(manager);
    for kind in Kind::ALL {
        for log2 in [0, 4, 6, 12, 14, 20] {
            let measures =
                Measures { kind, total: 8 * MIB, alignment: AlignmentCode(log2), overwrite: false };
            let opened = isolate.open_allocator(&format!("{kind:?} {log2}"), measures);
            if kind == Kind::Slab && log2 > 14 {
                assert_eq!(code(opened), Code::OutOfRange, "no slot of a slab is aligned so far");
                continue;
            }
            let id = opened.unwrap();
            let allocator = manager.allocators.get(id).unwrap();
            for size in [1, 100, 5000, 1] {
                let taken = allocate(&isolate, id, size);
                let address = allocator.bytes(manager, taken.offset, taken.granted).unwrap().address();
                assert!(address.is_multiple_of(1 << log2), "{kind:?}, alignment 2^{log2}, size {size}");
            }
        }
    }
}

#[test]
fn a_region_of_more_than_4_gib_is_used_to_its_end() {
    let total = if cfg!(offheap_portable) { 48 * MIB } else { (4 << 30) + 48 * MIB };
    let manager = manager();
    let isolate = isolate(manager);
    for kind in [Kind::Ring, Kind::Hybrid, Kind::ObjectPool, Kind::Buddy, Kind::Arena] {
        let id = open(&isolate, kind, total);
        let before: Vec<_> =
            std::iter::from_fn(|| isolate.allocate_in(id, 32 * MIB, Label::NONE).ok()).collect();
        let last = allocate(&isolate, id, 10_000);
        assert!(
            last.offset >= total - 48 * MIB || kind == Kind::Buddy || kind == Kind::ObjectPool,
            "{kind:?}"
        );
        assert!(last.offset + last.granted <= total);
        stamp(&isolate, id, last, 9);
        assert!(reads(&isolate, id, last, 9), "{kind:?}");
        if kind != Kind::Arena {
            let by_record = isolate.bytes(last.handle, 0, 1).unwrap().address();
            let allocator = manager.allocators.get(id).unwrap();
            assert_eq!(by_record, allocator.bytes(manager, last.offset, 1).unwrap().address(), "{kind:?}");
        }
        assert_eq!(stats(&isolate, id).blocks, before.len() as u64 + 1);
        isolate.close_allocator(id).unwrap();
    }
}

#[test]
fn a_spent_record_is_retired_and_the_next_grant_has_another() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::Slab, MIB);
    let taken = allocate(&isolate, id, 64);
    isolate.free_in(id, taken.handle, 64).unwrap();
    isolate.trim_allocator(id).unwrap(); // it waits no more: its record is in the stock
    let tracker = &isolate.manager().tracker;
    tracker.age(taken.handle.slot, Generation(Generation::MAX.0 - 2));
    let last = allocate(&isolate, id, 64);
    assert_eq!(last.handle.slot, taken.handle.slot, "it has one life left");
    isolate.free_in(id, last.handle, 64).unwrap(); // waits, with a record that cannot begin again
    let next = allocate(&isolate, id, 64);
    assert_ne!(next.handle.slot, last.handle.slot);
    assert_eq!((tracker.retired(), next.offset), (1, last.offset), "the record is retired, not the memory");
    assert_eq!(code(isolate.free_in(id, last.handle, 64)), Code::DoubleFree);
    isolate.free_in(id, next.handle, 64).unwrap();
    assert_all_free(&isolate, id);
}
