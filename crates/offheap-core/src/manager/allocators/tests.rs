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
