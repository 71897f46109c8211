//! One allocator per name and process; what opening costs, and what closing gives back.

use super::{MIB, allocate, assert_all_free, code, isolate, manager, measures, open, reads, stamp, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Request;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::raw::DECOMMIT_ZEROES;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

#[test]
fn a_name_is_the_same_allocator_in_every_isolate() {
    let manager = manager();
    let (one, two) = (isolate(manager), isolate(manager));
    let id = open(&one, Kind::Buddy, MIB);
    assert_eq!(code(two.allocate_in(id, 1, Label::NONE)), Code::Closed, "not opened by this isolate");
    assert_eq!(open(&two, Kind::Buddy, MIB), id);
    let taken = allocate(&one, id, 100);
    assert_ne!(allocate(&two, id, 100).offset, taken.offset);
    two.free_in(id, taken.handle, 100).unwrap();
    assert_eq!(stats(&one, id).blocks, 1);
}

#[test]
fn other_measures_under_a_name_are_a_mismatch() {
    let isolate = isolate(manager());
    let first = measures(Kind::Ring, MIB);
    let id = isolate.open_allocator("name", first).unwrap();
    for other in [
        Measures { kind: Kind::Slab, ..first },
        Measures { total: MIB + 1, ..first },
        Measures { alignment: AlignmentCode::PAGE, ..first },
        Measures { overwrite: true, ..first },
    ] {
        assert_eq!(code(isolate.open_allocator("name", other)), Code::ConfigMismatch);
    }
    let same = Measures { alignment: AlignmentCode(3), ..first };
    assert_eq!(isolate.open_allocator("name", same).unwrap(), id, "8 bytes by another word");
}

#[test]
fn names_totals_and_alignments_that_cannot_be_are_refused() {
    let isolate = isolate(manager());
    let long = "x".repeat(10_240);
    for name in ["", long.as_str()] {
        assert_eq!(code(isolate.open_allocator(name, measures(Kind::Slab, MIB))), Code::InvalidValue);
    }
    for kind in Kind::ALL {
        assert_eq!(code(isolate.open_allocator("n", measures(kind, 0))), Code::OutOfRange);
        let coarse = Measures { alignment: AlignmentCode(21), ..measures(kind, MIB) };
        assert_eq!(code(isolate.open_allocator("n", coarse)), Code::OutOfRange);
        let odd = Measures { alignment: AlignmentCode(31), ..measures(kind, MIB) };
        assert_eq!(code(isolate.open_allocator("n", odd)), Code::InvalidValue);
        for total in [1 << 40, (1 << 53) - 1, u64::MAX] {
            assert_eq!(code(isolate.open_allocator("n", measures(kind, total))), Code::OutOfMemory);
        }
    }
    assert!(isolate.manager().allocators.all().is_empty());
}

#[test]
fn the_limit_counts_open_regions_and_blocks_together() {
    let manager = manager();
    let isolate = isolate(manager);
    manager.set_limit(Some(3 * MIB));
    let id = open(&isolate, Kind::Arena, 2 * MIB);
    let refused = isolate.open_allocator("more", measures(Kind::Slab, 2 * MIB)).unwrap_err();
    assert_eq!((refused.code, refused.requested, refused.available), (Code::Limit, 2 * MIB, MIB));
    let request =
        Request { size: MIB + 1, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE };
    assert_eq!(code(isolate.allocate(request)), Code::Limit);
    let block = isolate.allocate(Request { size: MIB, ..request }).unwrap();
    assert_eq!(code(isolate.open_allocator("more", measures(Kind::Slab, 1000))), Code::Limit);
    isolate.close_allocator(id).unwrap();
    open(&isolate, Kind::Slab, 2 * MIB);
    isolate.free(block).unwrap();
    assert_eq!(manager.allocators.charged_bytes(), 2 * MIB);
}

#[test]
fn a_closed_allocator_refuses_everything_and_its_name_is_free() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        let taken = allocate(&isolate, id, 100);
        isolate.close_allocator(id).unwrap();
        isolate.close_allocator(id).unwrap();
        assert_eq!(code(isolate.allocate_in(id, 1, Label::NONE)), Code::Closed);
        assert_eq!(code(isolate.free_in(id, taken.handle, 100)), Code::Closed);
        assert_eq!(code(isolate.reset_allocator(id)), Code::Closed);
        assert_eq!(code(isolate.pin_in(id, taken.handle)), Code::Closed);
        assert_eq!(code(isolate.unpin_in(id, taken.handle)), Code::Closed);
        assert_eq!(code(isolate.trim_allocator(id)), Code::Closed);
        assert_eq!(code(isolate.mark_in(id)), Code::Closed);
        assert_eq!(code(isolate.manager().allocators.get(id).map(|_| ())), Code::Closed);
        let next = isolate.open_allocator(&format!("{kind:?}"), measures(kind, 2 * MIB)).unwrap();
        assert_eq!(
            code(isolate.allocate_in(id, 1, Label::NONE)),
            Code::Closed,
            "an old id never reaches a new one"
        );
        isolate.close_allocator(next).unwrap();
    }
    assert_eq!(isolate.manager().allocators.charged_bytes(), 0);
}

#[test]
fn the_next_allocator_of_the_same_measures_gets_the_addresses_but_not_the_bytes() {
    let manager = manager();
    let isolate = isolate(manager);
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        let taken = allocate(&isolate, id, 5000);
        stamp(&isolate, id, taken, 7);
        let address = |id| manager.allocators.get(id).unwrap().bytes(manager, 0, 1).unwrap().address();
        let old = address(id);
        isolate.close_allocator(id).unwrap();
        let next = open(&isolate, kind, MIB);
        assert_eq!(address(next), old, "{kind:?}");
        assert_ne!(next, id);
        assert_all_free(&isolate, next);
        if DECOMMIT_ZEROES {
            assert!(reads(&isolate, next, taken, 0), "{kind:?}");
        }
        assert_eq!(stats(&isolate, next).misses, 0);
    }
}

#[test]
fn ten_thousand_openings_take_one_region_and_one_number() {
    let manager = manager();
    let isolate = isolate(manager);
    let spans = |_| manager.chunks.atlas.count();
    let mut numbers = std::collections::HashSet::new();
    for round in 0..10_000 {
        let id = open(&isolate, Kind::Slab, 100_000);
        numbers.insert(id.number);
        if round % 1000 == 0 {
            allocate(&isolate, id, 10);
        }
        isolate.close_allocator(id).unwrap();
    }
    assert_eq!((numbers.len(), spans(())), (1, 1));
}

#[test]
fn an_id_of_another_life_or_number_is_closed() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::Slab, MIB);
    for wrong in [
        AllocatorId { life: id.life + 2, ..id },
        AllocatorId { number: id.number + 1, ..id },
        AllocatorId { number: u32::MAX, life: 1 },
    ] {
        assert_eq!(code(isolate.allocate_in(wrong, 1, Label::NONE)), Code::Closed);
        assert_eq!(code(isolate.manager().allocators.get(wrong).map(|_| ())), Code::Closed);
        isolate.close_allocator(wrong).unwrap();
    }
    allocate(&isolate, id, 1);
}
