//! Statistics and rows.

use super::{MIB, RECORDED, allocate, isolate, manager, open, stats};
use offheap_core::manager::allocators::Kind;
use offheap_core::report;
use offheap_core::tracker::label::Label;

#[test]
fn grants_are_rows_with_owner_label_address_and_granted_size() {
    let manager = manager();
    let isolate = isolate(manager);
    for kind in [Kind::Buddy, Kind::Slab, Kind::ObjectPool, Kind::Hybrid] {
        let id = open(&isolate, kind, MIB);
        let taken = isolate.allocate_in(id, 1000, Label(3)).unwrap();
        let rows = manager.rows();
        assert_eq!(rows.len(), 1, "{kind:?}");
        let row = &rows[0];
        assert_eq!((row.row.handle, row.allocator), (taken.handle, Some(id.number)));
        assert_eq!((row.row.extent.size, row.row.extent.label, row.actual_size), (1000, 3, taken.granted));
        assert_eq!(row.row.owner.number(), isolate.number());
        let allocator = manager.allocators.get(id).unwrap();
        let address = allocator.bytes(manager, taken.offset, 1).unwrap().address() as u64;
        assert_eq!(row.address, address);
        let shared = manager.tracker.shared_row(taken.handle.slot).unwrap();
        assert_eq!(manager.row(&shared, 0).unwrap().actual_size, taken.granted);
        isolate.close_allocator(id).unwrap();
        assert!(manager.rows().is_empty());
    }
}

#[test]
fn an_arena_and_a_ring_are_one_row_each_while_they_hold_something() {
    let manager = manager();
    let isolate = isolate(manager);
    for kind in [Kind::Arena, Kind::Ring] {
        let id = open(&isolate, kind, MIB);
        assert!(manager.rows().is_empty(), "{kind:?}");
        let taken: Vec<_> = (0..5).map(|_| allocate(&isolate, id, 100)).collect();
        isolate.pin_in(id, taken[3].handle).unwrap();
        let rows = manager.rows();
        assert_eq!(rows.len(), 1, "{kind:?}");
        let now = stats(&isolate, id);
        assert_eq!((rows[0].row.extent.size, rows[0].actual_size), (500, now.held), "{kind:?}");
        assert_eq!((rows[0].row.pins, rows[0].allocator), (1, Some(id.number)), "{kind:?}");
        let base = manager.allocators.get(id).unwrap().bytes(manager, 0, 1).unwrap().address() as u64;
        assert_eq!(rows[0].address, base, "{kind:?}");
        isolate.unpin_in(id, taken[3].handle).unwrap();
        isolate.reset_allocator(id).unwrap();
        assert!(manager.rows().is_empty(), "{kind:?}");
    }
}

#[test]
fn statistics_of_blocks_do_not_count_grants() {
    let manager = manager();
    let isolate = isolate(manager);
    for kind in RECORDED {
        let id = open(&isolate, kind, MIB);
        allocate(&isolate, id, 1000);
    }
    let stats = report::stats(&manager.tracker, &manager.chunks);
    assert_eq!((stats.active_blocks, stats.current_allocated, stats.max_block_size), (0, 0, 0));
    assert!(stats.next_block_id > 0, "ids are one series");
}

#[test]
fn a_pool_counts_hits_and_misses() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::ObjectPool, MIB);
    for _ in 0..10 {
        let taken = allocate(&isolate, id, 48);
        isolate.free_in(id, taken.handle, 48).unwrap();
    }
    let now = stats(&isolate, id);
    assert_eq!((now.hits + now.misses, now.misses), (10, 1));
}

#[test]
fn held_bytes_tell_internal_waste() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::Buddy, MIB);
    allocate(&isolate, id, 65);
    let now = stats(&isolate, id);
    assert_eq!((now.requested, now.held, now.largest_free), (65, 128, MIB / 2));
}

#[test]
fn trim_gives_back_what_was_touched_and_is_free() {
    let isolate = isolate(manager());
    for kind in Kind::ALL {
        let id = open(&isolate, kind, MIB);
        let taken = allocate(&isolate, id, 16 << 10);
        super::stamp(&isolate, id, taken, 1);
        isolate.free_in(id, taken.handle, 16 << 10).unwrap();
        if kind == Kind::Arena {
            isolate.reset_allocator(id).unwrap();
        }
        let given = isolate.trim_allocator(id).unwrap();
        assert_eq!(given > 0, !cfg!(offheap_portable), "{kind:?}");
        assert_eq!(isolate.trim_allocator(id).unwrap(), 0, "{kind:?}");
    }
}
