//! What opens whole or not at all: whichever of its requests is refused, nothing of it is left.

use crate::orders::HEAP_LEAST;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::raw::faults::{self, Given, Order};
use offheap_core::tracker::state::AlignmentCode;
use offheap_proof::manager;

const MIB: u64 = 1 << 20;
/// A small region and one whose tables are large.
const TOTALS: [u64; 2] = [MIB, 3 << 30];

fn assert_same(before: Given, what: &str) {
    let after = faults::given();
    assert_eq!(after.mapped_bytes, before.mapped_bytes, "{what}: address space is lost");
    assert_eq!(after.heap_bytes, before.heap_bytes, "{what}: memory of the heap is lost");
}

/// Refuses the first request to a source, then the second and so on, until `open` has all that it asks for.
fn each_request(what: &str, order: impl Fn(u64) -> Order, open: impl Fn() -> bool) {
    for request in 1.. {
        faults::order(order(request));
        let mut before = faults::given();
        let is_open = faults::refusing(&open);
        if faults::given().refusals == before.refusals {
            assert!(is_open, "{what}: refused, though nothing was refused to it");
            break;
        }
        if is_open {
            continue; // it did without
        }
        assert_eq!(faults::given().mapped_bytes, before.mapped_bytes, "{what}: address space is lost");
        for _ in 0..2 {
            // Lists have their places after the first time.
            before = faults::given();
            faults::order(order(request));
            assert!(!faults::refusing(&open));
            assert!(faults::given().refusals > before.refusals);
        }
        assert_same(before, what);
    }
    faults::order(Order::default());
}

const fn of_heap(request: u64) -> Order {
    Order { heap_every: request, heap_least: HEAP_LEAST, pages_every: 0 }
}

const fn of_pages(request: u64) -> Order {
    Order { heap_every: 0, heap_least: 0, pages_every: request }
}

/// The leak that must be noticed.
pub fn a_page_is_lost(_: u64) {
    let before = faults::given();
    faults::lose_a_page();
    assert_same(before, "canary");
}

/// Isolates, with a table and without.
pub fn isolates(_: u64) {
    for (order, table) in [(of_heap as fn(u64) -> Order, None), (of_pages, None), (of_pages, Some(0))] {
        let manager = manager();
        drop(Isolate::open(manager, Some(4096)).unwrap()); // what is made once for all
        each_request("isolate", order, || Isolate::open(manager, table).is_ok());
    }
}

/// Allocators of all kinds.
pub fn allocators(_: u64) {
    for (kind, total) in Kind::ALL.into_iter().flat_map(|kind| TOTALS.map(|total| (kind, total))) {
        for order in [of_heap as fn(u64) -> Order, of_pages] {
            let manager = manager();
            let isolate = Isolate::open(manager, Some(0)).unwrap();
            let first = Measures {
                kind: Kind::Ring,
                total: MIB / 2,
                alignment: AlignmentCode::WORD,
                overwrite: false,
            };
            let warm = isolate.open_allocator("first", first).unwrap(); // what is made once for all
            let what = format!("{kind:?} of {total}");
            let measures = Measures { kind, total, ..first };
            each_request(&what, order, || isolate.open_allocator("second", measures).is_ok());
            assert_eq!(manager.allocators.charged_bytes(), total + MIB / 2);
            let id = isolate.open_allocator("second", measures).unwrap();
            manager.allocators.get(id).unwrap().check().unwrap();
            isolate.close_allocator(id).unwrap();
            isolate.close_allocator(warm).unwrap();
            assert_eq!((manager.allocators.charged_bytes(), manager.allocators.committed_bytes()), (0, 0));
        }
    }
}
