//! Steps that other threads would have to interrupt at one moment: here they are interrupted by hand.

use super::{AllocatorId, Isolate, Kind, Manager, Measures};
use crate::base::error::Code;
use crate::tracker::label::Label;
use crate::tracker::state::AlignmentCode;

const MEASURES: Measures =
    Measures { kind: Kind::Slab, total: 1 << 20, alignment: AlignmentCode::WORD, overwrite: false };

fn opened() -> (Isolate, AllocatorId) {
    let isolate = Isolate::open(Box::leak(Box::<Manager>::default()), Some(0)).unwrap();
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
