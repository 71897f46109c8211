//! One record, its owners, who pins it, and who looks.

use offheap_core::base::error::Code;
use offheap_core::tracker::record::Birth;
use offheap_core::tracker::row::Row;
use offheap_core::tracker::state::{
    AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot, State,
};
use offheap_core::tracker::table::Tracker;
use offheap_loom::{Memory, explore, join, spawn};
use std::sync::Arc;

/// Of each owner every field is another's.
fn birth(of: u64) -> Birth {
    Birth {
        extent: Extent { size: 100 * of, label: of as u16 },
        origin: Origin { born_ms: 1000 * of, owner: Owner::block(of as u32) },
        alignment: AlignmentCode(of as u8),
    }
}

fn place(of: u64) -> Place {
    Place::grant(of as u32, 64 * of)
}

fn is_of(row: &Row, of: u64) -> bool {
    let Birth { extent, origin, alignment } = birth(of);
    (row.place, row.extent, row.born_ms, row.owner, row.alignment)
        == (place(of), extent, origin.born_ms, origin.owner, alignment)
}

fn tracker() -> (Arc<Tracker>, Slot) {
    let tracker = Arc::new(Tracker::with_segments(1));
    let slot = tracker.take(1).unwrap().first;
    (tracker, slot)
}

fn begin(tracker: &Tracker, slot: Slot, of: u64) -> Generation {
    tracker.shared(slot).unwrap().begin_at(place(of), birth(of)).unwrap()
}

#[test]
fn a_row_is_wholly_one_owners_or_there_is_none() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let scans = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                let row = tracker.shared_row(slot);
                if let Some(row) = row {
                    let of = u64::from(row.handle.generation.0).div_ceil(2);
                    assert!(is_of(&row, of), "{row:?}");
                }
            })
        };
        tracker.shared(slot).unwrap().end(first).unwrap();
        begin(&tracker, slot, 2);
        join(scans);
        assert!(is_of(&tracker.shared_row(slot).unwrap(), 2));
    });
}

#[test]
fn a_free_record_in_a_stack_and_its_next_owner_never_show_as_one_row() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let scans = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                tracker.scan(|row| {
                    let of = u64::from(row.handle.generation.0).div_ceil(2);
                    assert!(row.handle.slot == slot && is_of(row, of), "{row:?}");
                });
            })
        };
        let record = tracker.shared(slot).unwrap();
        record.end(first).unwrap();
        let chain = offheap_core::tracker::stack::Chain { first: slot, last: slot, count: 1 };
        tracker.give(chain); // its link stands where owner and birth stood
        let again = tracker.take(1).unwrap();
        assert_eq!(again.first, slot);
        begin(&tracker, slot, 2);
        join(scans);
        tracker.check().unwrap();
    });
}

#[test]
fn of_two_frees_of_one_owner_one_wins_and_the_next_owner_keeps_what_it_has() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let frees = |tracker: Arc<Tracker>| {
            move || {
                let record = tracker.shared(slot).unwrap();
                let freed = record.end(first);
                if freed.is_ok() {
                    begin(&tracker, slot, 2); // whoever freed it is its owner
                }
                assert!(freed.is_ok() || freed == Err(Code::DoubleFree.into()));
                freed.is_ok()
            }
        };
        let other = spawn(frees(Arc::clone(&tracker)));
        let mine = frees(Arc::clone(&tracker))();
        assert_ne!(mine, join(other));
        let row = tracker.shared_row(slot).unwrap();
        assert!(is_of(&row, 2) && row.handle.generation.0 == first.0 + 2);
    });
}

#[test]
fn what_one_owner_wrote_happens_before_what_the_next_owner_does() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let memory = Arc::new(Memory::new(1, 1));
        let first = begin(&tracker, slot, 1);
        let other = {
            let (tracker, memory) = (Arc::clone(&tracker), Arc::clone(&memory));
            spawn(move || {
                let record = tracker.shared(slot).unwrap();
                let claimed = record.claim(Generation(first.0 + 1), false);
                if claimed {
                    memory.take(0, 1);
                }
                claimed
            })
        };
        let record = tracker.shared(slot).unwrap();
        memory.take(0, 1);
        memory.leave(0, 1);
        record.end_marked(first, State::WAITING).unwrap();
        memory.assert_writes(1 + u32::from(join(other)));
    });
}

#[test]
fn a_pin_and_a_free_never_both_succeed_while_the_pin_is_held() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let pins = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                let record = tracker.shared(slot).unwrap();
                let pinned = record.pin(first);
                if pinned.is_ok() {
                    assert!(record.is_live(first), "freed while it was pinned");
                    assert!(is_of(&tracker.shared_row(slot).unwrap(), 1));
                    record.unpin(first).unwrap();
                }
                pinned.is_ok()
            })
        };
        let record = tracker.shared(slot).unwrap();
        let freed = record.end(first);
        if freed.is_ok() {
            begin(&tracker, slot, 2);
        }
        let pinned = join(pins);
        assert!(pinned || freed.is_ok());
        assert_eq!(record.state().pins(), 0);
        assert_eq!(record.is_live(first), freed.is_err());
    });
}

#[test]
fn two_pins_and_two_unpins_leave_none_and_a_free_wins_only_when_none_is_held() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let pinner = |tracker: Arc<Tracker>| {
            move || {
                let record = tracker.shared(slot).unwrap();
                record.pin(first).unwrap();
                assert_eq!(record.end(first).unwrap_err().code, Code::InUse);
                record.unpin(first).unwrap();
            }
        };
        let other = spawn(pinner(Arc::clone(&tracker)));
        pinner(Arc::clone(&tracker))();
        join(other);
        assert_eq!(tracker.shared(slot).unwrap().end(first).unwrap().pins(), 0);
    });
}

#[test]
fn a_frozen_record_is_ended_by_nobody_else_and_a_pinned_one_is_not_frozen() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let resets = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                let record = tracker.shared(slot).unwrap();
                let frozen = record.freeze(first).is_ok();
                frozen && {
                    record.end_frozen(first).unwrap();
                    true
                }
            })
        };
        let record = tracker.shared(slot).unwrap();
        let freed = record.end(first).is_ok();
        let reset = join(resets);
        assert_ne!(freed, reset, "ended twice, or never");
        assert_eq!(record.state(), State::new(Generation(first.0 + 1), 0));
    });
}

#[test]
fn of_two_who_claim_a_waiting_record_one_has_it_and_sees_its_last_owners_fields() {
    explore(None, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let claims = |tracker: Arc<Tracker>| {
            move || {
                let record = tracker.shared(slot).unwrap();
                let claimed = record.claim(Generation(first.0 + 1), false);
                if claimed {
                    assert_eq!(record.place(), place(1));
                    record.begin(birth(2)).unwrap();
                }
                claimed
            }
        };
        let other = spawn(claims(Arc::clone(&tracker)));
        tracker.shared(slot).unwrap().end_marked(first, State::WAITING).unwrap();
        let mine = claims(Arc::clone(&tracker))();
        assert_ne!(mine, join(other), "claimed by both, or by neither");
        assert_eq!(
            tracker.shared_row(slot).unwrap().handle,
            Handle { slot, generation: Generation(first.0 + 2) }
        );
    });
}
