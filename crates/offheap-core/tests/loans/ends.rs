//! What an isolate leaves whose script was stopped between any two stores.

use super::script::{CUT_STORES, GIVE_STORES, Memory, Region, Script, TAKE_LIVES, TAKE_STORES};
use super::{LENDING, MIB, assert_all_free, figures, lending, lent, manager, measures, stats};
use offheap_core::manager::allocators::Kind;
use offheap_core::manager::{Isolate, Manager};

const SIZE: u64 = 1000;
const COUNT: u64 = 6;

/// An isolate with a grant in its hands and others that lie ready, another beside it, and how many allocations that took.
fn warm(kind: Kind) -> (&'static Manager, Isolate, Region, Memory, u64) {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let mut region = script.opened(kind, MIB);
    let all: Vec<Memory> = (0..COUNT).map(|_| script.allocate(&mut region, SIZE).unwrap()).collect();
    all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
    let memory = script.allocate(&mut region, SIZE).unwrap();
    (isolate.manager(), isolate, region, memory, COUNT + 1)
}

/// Nothing is left, of so many allocations.
#[track_caller]
fn assert_over(manager: &'static Manager, kind: Kind, allocations: u64) {
    assert_eq!(lent(manager), 0);
    manager.tracker.scan(|row| panic!("{row:?} is left"));
    let next = lending(manager);
    let script = Script::new(&next);
    let mut region = script.opened(kind, MIB);
    assert_all_free(&next, region.id);
    let now = figures(&next, region.id);
    if kind == Kind::ObjectPool {
        assert_eq!(now.hits + now.misses, allocations);
    }
    if kind == Kind::Buddy {
        assert_eq!((now.free_blocks, now.largest_free), (1, MIB));
    }
    let memory = script.allocate(&mut region, now.largest_free).unwrap();
    script.free(&region, memory).unwrap();
    next.close_allocator(region.id).unwrap();
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_take_leaves_nothing() {
    for kind in LENDING {
        for stores in 0..=TAKE_STORES {
            let (manager, isolate, region, _, allocations) = warm(kind);
            Script::stopped_after(&isolate, stores).take(&region, SIZE).unwrap();
            let blocks = manager.rows().len();
            assert_eq!(blocks, 1 + usize::from(stores >= TAKE_LIVES), "{kind:?} after {stores}");
            drop(isolate);
            assert_over(manager, kind, allocations + u64::from(stores == TAKE_STORES));
        }
    }
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_give_leaves_nothing() {
    for kind in LENDING {
        for stores in 0..=GIVE_STORES {
            let (manager, isolate, region, memory, allocations) = warm(kind);
            assert!(Script::stopped_after(&isolate, stores).give(&region, memory));
            assert_eq!(manager.rows().len(), usize::from(stores == 0), "{kind:?} after {stores}");
            drop(isolate);
            assert_over(manager, kind, allocations);
        }
    }
}

#[test]
fn another_isolate_s_reset_and_close_find_what_a_stopped_script_left() {
    for kind in LENDING {
        for stores in 0..=TAKE_STORES.max(GIVE_STORES) {
            for (takes, closes) in [(false, false), (false, true), (true, false), (true, true)] {
                let (manager, isolate, region, memory, _) = warm(kind);
                let script = Script::stopped_after(&isolate, stores);
                if takes {
                    script.take(&region, SIZE).unwrap();
                } else {
                    assert!(script.give(&region, memory));
                }
                let two = lending(manager);
                Script::new(&two).open(&format!("{kind:?}"), measures(kind, MIB)).unwrap();
                if closes {
                    two.close_allocator(region.id).unwrap();
                } else {
                    two.reset_allocator(region.id).unwrap();
                    assert_all_free(&two, region.id);
                }
                assert_eq!(lent(manager), 0, "{kind:?} after {stores}");
                manager.tracker.check().unwrap();
                drop(isolate);
                let theirs = Script::new(&two).opened(kind, MIB);
                assert_all_free(&two, theirs.id);
            }
        }
    }
}

#[test]
fn an_isolate_that_stops_between_two_stores_of_a_cut_leaves_its_arena_at_the_next_position() {
    for stores in 0..=CUT_STORES {
        let manager = manager();
        let (isolate, two) = (lending(manager), lending(manager));
        let script = Script::new(&isolate);
        let mut region = script.opened(Kind::Arena, MIB);
        let all = [(); 3].map(|()| script.allocate(&mut region, SIZE).unwrap());
        assert_eq!(all[2].offset, 2000);
        let stopped = Script::stopped_after(&isolate, stores).take(&region, SIZE).unwrap();
        assert_eq!(stopped.offset, 3000);
        drop(isolate);
        let now = stats(&two, region.id);
        assert_eq!(now.held, 3000 + SIZE * u64::from(stores > 0));
        assert_eq!((now.blocks, now.requested >= 3 * SIZE), (3 + u64::from(stores == CUT_STORES), true));
        let mut theirs = Script::new(&two).opened(Kind::Arena, MIB);
        assert_eq!(Script::new(&two).allocate(&mut theirs, SIZE).unwrap().offset, now.held);
        two.reset_allocator(theirs.id).unwrap();
        assert_all_free(&two, theirs.id);
    }
}
