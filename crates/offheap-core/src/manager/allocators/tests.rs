//! Steps that other threads would have to interrupt at one moment: here they are interrupted by hand.

use super::{AllocatorId, Isolate, Kind, Manager, Measures};
use crate::base::error::Code;
use crate::base::sync::lock;
use crate::ops;
use crate::raw;
use crate::tracker::label::Label;
use crate::tracker::record::{Birth, Record};
use crate::tracker::state::{AlignmentCode, Extent, Handle, Origin, Owner, Place};
use crate::tracker::table::Tracker;
use std::thread;
use std::time::Duration;

const MEASURES: Measures =
    Measures { kind: Kind::Slab, total: 1 << 20, alignment: AlignmentCode::WORD, overwrite: false };

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager(tracker: Tracker) -> &'static Manager {
    Box::leak(Box::new(Manager { tracker, ..Manager::default() }))
}

fn opened() -> (Isolate, AllocatorId) {
    let isolate = Isolate::open(manager(Tracker::default()), Some(0)).unwrap();
    let id = isolate.open_allocator("name", MEASURES).unwrap();
    (isolate, id)
}

#[test]
fn a_pin_that_comes_between_look_and_freeze_leaves_every_grant_as_it_was() {
    let (isolate, id) = opened();
    let handles: Vec<_> = (0..5).map(|_| isolate.allocate_in(id, 100, Label::NONE).unwrap().handle).collect();
    isolate.pin_in(id, handles[3]).unwrap();
    let refused = isolate.manager.freeze_all(handles.clone()).unwrap_err();
    assert_eq!((refused.code, refused.available), (Code::InUse, 1));
    isolate.unpin_in(id, handles[3]).unwrap();
    for handle in handles {
        isolate.pin_in(id, handle).unwrap();
        isolate.unpin_in(id, handle).unwrap();
        isolate.free_in(id, handle, 100).unwrap();
    }
}

#[test]
fn what_is_frozen_can_neither_be_pinned_nor_freed_by_anybody_else() {
    let (isolate, id) = opened();
    let handle = isolate.allocate_in(id, 100, Label::NONE).unwrap().handle;
    let frozen = isolate.manager.freeze_all(vec![handle]).unwrap();
    assert_eq!(frozen, [handle]);
    assert_eq!(isolate.pin_in(id, handle).unwrap_err().code, Code::InUse);
    assert_eq!(isolate.free_in(id, handle, 100).unwrap_err().code, Code::InUse);
    assert!(isolate.manager.freeze_all(vec![handle]).is_err(), "frozen twice");
}

#[test]
fn a_ground_in_which_a_late_thread_was_granted_something_waits_until_that_is_freed() {
    let (isolate, id) = opened();
    let ground = |id| isolate.manager.allocators.get(id).unwrap().ground.clone();
    let first = ground(id);
    let late = first.plan.strategy().unwrap().allocate(100).unwrap();
    isolate.close_allocator(id).unwrap();
    let second = isolate.open_allocator("name", MEASURES).unwrap();
    assert_ne!(ground(second).span, first.span);
    first.plan.strategy().unwrap().free(late.offset).unwrap();
    let third = isolate.open_allocator("another", MEASURES).unwrap();
    assert_eq!(ground(third).span, first.span);
}

/// Frees `count` grants of one class, which then wait.
fn let_wait(isolate: &Isolate, id: AllocatorId, count: usize) {
    let handles: Vec<_> =
        (0..count).map(|_| isolate.allocate_in(id, 100, Label::NONE).unwrap().handle).collect();
    for handle in handles {
        isolate.free_in(id, handle, 100).unwrap();
    }
}

/// What waits, with its records.
fn waiting(isolate: &Isolate) -> Vec<(Handle, Record<'static>)> {
    let mut all = Vec::new();
    isolate.manager.tracker.each_waiting(|handle, record| all.push((handle, record)));
    all
}

#[test]
fn what_somebody_has_taken_to_give_it_back_counts_until_it_is_back() {
    let (isolate, id) = opened();
    let ground = isolate.manager.allocators.get(id).unwrap().ground.clone();
    let_wait(&isolate, id, 10);
    assert_eq!(ground.waits.count(), 10);
    let (handle, record) = waiting(&isolate)[9];
    assert!(record.claim(handle.generation, false));
    assert_eq!(ground.waits.count(), 10);
    let next = isolate.allocate_in(id, 100, Label::NONE).unwrap(); // finds one taken, or not, and takes another
    assert_eq!(ground.waits.count(), 9);
    ground.put(record.place()).unwrap();
    ground.waits.count_returned();
    assert_eq!(ground.waits.count(), 8);
    isolate.free_in(id, next.handle, 100).unwrap();
    isolate.trim_allocator(id).unwrap();
    assert_eq!(ground.waits.count(), 0);
}

#[test]
fn a_look_at_the_last_allocator_of_a_region_takes_nothing_from_the_next_ones_count() {
    let (isolate, id) = opened();
    let ground = isolate.manager.allocators.get(id).unwrap().ground.clone();
    let_wait(&isolate, id, 5);
    isolate.close_allocator(id).unwrap();
    let next = isolate.open_allocator("next", MEASURES).unwrap();
    assert_eq!(isolate.manager.allocators.get(next).unwrap().ground.span, ground.span);
    let_wait(&isolate, next, 5);
    isolate.manager.reclaim(&ground); // somebody who began it before the close
    let_wait(&isolate, next, 7);
    assert_eq!(ground.waits.count(), 7);
    isolate.manager.reclaim(&ground);
    assert_eq!((ground.waits.count(), ground.usage().held), (0, 0));
}

#[test]
fn who_finds_the_region_full_waits_for_what_is_on_its_way_back() {
    let (isolate, id) = opened();
    let ground = isolate.manager.allocators.get(id).unwrap().ground.clone();
    let all: Vec<_> = std::iter::from_fn(|| isolate.allocate_in(id, 16 << 10, Label::NONE).ok()).collect();
    isolate.free_in(id, all[0].handle, 1).unwrap();
    let (handle, record) = waiting(&isolate)[0];
    thread::scope(|scope| {
        let returning = lock(&ground.waits.returning);
        assert!(record.claim(handle.generation, false));
        let wants = scope.spawn(|| {
            let other = Isolate::open(isolate.manager, Some(0)).unwrap();
            other.open_allocator("name", MEASURES).unwrap();
            other.allocate_in(id, 16 << 10, Label::NONE).map(|taken| taken.offset)
        });
        thread::sleep(Duration::from_millis(20)); // time to be refused
        ground.put(record.place()).unwrap();
        ground.waits.count_returned();
        drop(returning);
        assert_eq!(wants.join().unwrap(), Ok(all[0].offset));
    });
}

#[test]
fn a_free_of_a_dead_handle_leaves_what_waits_alone() {
    let (isolate, id) = opened();
    let dead = isolate.allocate_in(id, 100, Label::NONE).unwrap().handle;
    isolate.free_in(id, dead, 100).unwrap();
    isolate.trim_allocator(id).unwrap();
    let_wait(&isolate, id, 64);
    let full = waiting(&isolate).len();
    assert_eq!(isolate.free_in(id, dead, 100).unwrap_err().code, Code::DoubleFree);
    assert_eq!((full, waiting(&isolate).len()), (64, 64));
}

#[test]
fn what_was_freed_while_somebody_closed_the_allocator_comes_back_at_the_next_call() {
    let (isolate, id) = opened();
    let other = Isolate::open(isolate.manager, Some(0)).unwrap();
    other.open_allocator("name", MEASURES).unwrap();
    let taken = other.allocate_in(id, 100, Label::NONE).unwrap();
    let ground = isolate.manager.allocators.get(id).unwrap().ground.clone();
    isolate.close_allocator(id).unwrap(); // ends the grant
    let late = ground.plan.strategy().unwrap().allocate(100).unwrap(); // as if it had not: `other` is just freeing it
    let record = isolate.manager.tracker.shared(taken.handle.slot).unwrap();
    isolate.allocators.borrow_mut().records.retain(|slot| *slot != taken.handle.slot);
    let birth = Birth {
        extent: Extent { size: 100, label: 0 },
        origin: Origin { born_ms: 1, owner: Owner::grant(other.number) },
        alignment: AlignmentCode::WORD,
    };
    let generation = record.begin_at(Place::grant(ground.span.0, late.offset), birth).unwrap();
    let handle = Handle { slot: taken.handle.slot, generation };
    {
        let mut door = other.allocators.borrow_mut();
        let attached = door.attached[id.number as usize].as_mut().unwrap();
        attached.make_room(6, late.offset, &isolate.manager.tracker, &mut Vec::new());
        assert!(attached.keep(6, handle, &record, false).unwrap());
    }
    assert_eq!(ground.usage().blocks, 1);
    assert_eq!(other.free_in(id, handle, 100).unwrap_err().code, Code::Closed);
    assert_eq!(ground.usage().blocks, 0);
}

#[test]
fn a_closed_region_waits_until_the_last_isolate_that_sees_it_has_left() {
    let (isolate, id) = opened();
    let others: Vec<_> = (0..2).map(|_| Isolate::open(isolate.manager, Some(0)).unwrap()).collect();
    for other in &others {
        other.open_allocator("name", MEASURES).unwrap();
        other.see_region(id).unwrap();
        other.see_region(id).unwrap();
    }
    let first = isolate.manager.allocators.get(id).unwrap().ground.span;
    isolate.see_region(id).unwrap();
    isolate.close_allocator(id).unwrap();
    isolate.leave_region(id, false);
    assert_eq!(others[0].see_region(id).unwrap_err().code, Code::Closed);
    let span_of_next = |name| {
        let id = isolate.open_allocator(name, MEASURES).unwrap();
        isolate.manager.allocators.get(id).unwrap().ground.span
    };
    assert_ne!(span_of_next("while both see it"), first);
    others[0].leave_region(id, false);
    others[0].leave_region(id, false);
    assert_ne!(span_of_next("while one sees it"), first);
    others[1].leave_region(id, false);
    assert_eq!(span_of_next("when nobody sees it"), first);
    assert_eq!(isolate.manager.escaped_bytes(), 0);
}

#[test]
fn a_closed_region_that_another_isolate_sees_keeps_the_bytes_of_large_grants_until_it_has_left() {
    let (isolate, _) = opened();
    let other = Isolate::open(isolate.manager, Some(0)).unwrap();
    let measures = Measures { kind: Kind::Hybrid, total: 16 << 20, ..MEASURES };
    let id = isolate.open_allocator("large", measures).unwrap();
    other.open_allocator("large", measures).unwrap();
    let taken = isolate.allocate_in(id, 8 << 20, Label::NONE).unwrap();
    let bytes =
        isolate.manager.allocators.get(id).unwrap().bytes(isolate.manager, taken.offset, 8 << 20).unwrap();
    ops::fill(bytes, 7);
    other.see_region(id).unwrap();
    isolate.close_allocator(id).unwrap();
    let first = || {
        let mut copy = [0];
        ops::snapshot(bytes.slice(0, 1).unwrap(), &mut copy).unwrap();
        copy[0]
    };
    assert_eq!(first(), 7, "its view still shows it");
    other.leave_region(id, false);
    assert_eq!(first(), if raw::DECOMMIT_ZEROES { 0 } else { first() });
}

#[test]
fn a_region_that_an_isolate_lost_or_saw_until_its_end_is_never_used_again() {
    for ends in [false, true] {
        for closed_first in [false, true] {
            let (isolate, id) = opened();
            let other = Isolate::open(isolate.manager, Some(0)).unwrap();
            other.see_region(id).unwrap();
            let first = isolate.manager.allocators.get(id).unwrap().ground.span;
            let close = || isolate.close_allocator(id).unwrap();
            if closed_first {
                close();
                assert_eq!(isolate.manager.escaped_bytes(), 0);
            }
            if !ends {
                other.leave_region(id, true);
            }
            drop(other);
            if !closed_first {
                assert_eq!(isolate.manager.escaped_bytes(), 0);
                close();
            }
            assert_eq!(isolate.manager.escaped_bytes(), MEASURES.total);
            let next = isolate.open_allocator("next", MEASURES).unwrap();
            assert_ne!(isolate.manager.allocators.get(next).unwrap().ground.span, first);
        }
    }
}

/// What a region of so many bytes counts when its pages were given back, where the system takes any.
fn given_back(bytes: u64) -> u64 {
    if cfg!(offheap_portable) { bytes } else { 0 }
}

#[test]
fn a_closed_region_counts_as_committed_until_its_pages_go_back_and_against_the_limit_no_more() {
    let (isolate, id) = opened();
    let (registry, other) = (&isolate.manager.allocators, Isolate::open(isolate.manager, Some(0)).unwrap());
    let figures = || (registry.charged_bytes(), registry.committed_bytes());
    let total = MEASURES.total;
    assert_eq!(figures(), (total, total));
    isolate.see_region(id).unwrap();
    other.see_region(id).unwrap();
    isolate.close_allocator(id).unwrap();
    assert_eq!(figures(), (0, total));
    isolate.leave_region(id, false);
    assert_eq!(figures(), (0, total), "the other one sees it");
    other.leave_region(id, false);
    assert_eq!(figures(), (0, given_back(total)));
    let again = isolate.open_allocator("again", MEASURES).unwrap();
    assert_eq!(figures(), (total, total), "the same region, counted once");
    isolate.close_allocator(again).unwrap();
    assert_eq!(figures(), (0, given_back(total)), "nobody saw it");
}

#[test]
fn a_region_that_is_kept_for_ever_counts_as_committed_for_ever() {
    let (isolate, id) = opened();
    let registry = &isolate.manager.allocators;
    isolate.see_region(id).unwrap();
    isolate.close_allocator(id).unwrap();
    isolate.leave_region(id, true);
    assert_eq!((registry.charged_bytes(), registry.committed_bytes()), (0, MEASURES.total));
    let next = isolate.open_allocator("next", MEASURES).unwrap();
    assert_eq!(registry.committed_bytes(), 2 * MEASURES.total);
    isolate.close_allocator(next).unwrap();
    assert_eq!(registry.committed_bytes(), MEASURES.total + given_back(MEASURES.total));
}

#[test]
fn a_region_counts_as_committed_with_the_whole_of_its_last_page() {
    let (isolate, _) = opened();
    let before = isolate.manager.allocators.committed_bytes();
    isolate.open_allocator("odd", Measures { total: 100_000, ..MEASURES }).unwrap();
    let page = raw::page_size() as u64;
    assert_eq!(isolate.manager.allocators.committed_bytes() - before, 100_000_u64.next_multiple_of(page));
}

#[test]
fn an_arena_for_which_no_record_is_left_leaves_its_region_to_the_next() {
    let isolate = Isolate::open(manager(Tracker::with_segments(1)), Some(0)).unwrap();
    let (tracker, atlas) = (&isolate.manager.tracker, &isolate.manager.chunks.atlas);
    let mut records: Vec<_> = std::iter::from_fn(|| tracker.take(64).ok()).collect();
    let arena = Measures { kind: Kind::Arena, ..MEASURES };
    for _ in 0..3 {
        assert_eq!(isolate.open_allocator("arena", arena).unwrap_err().code, Code::OutOfMemory);
        assert_eq!((atlas.count(), isolate.manager.allocators.committed_bytes()), (1, 0));
    }
    tracker.give(records.pop().unwrap());
    isolate.open_allocator("arena", arena).unwrap();
    assert_eq!((atlas.count(), isolate.manager.allocators.committed_bytes()), (1, arena.total));
}
