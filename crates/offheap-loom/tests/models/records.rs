//! One record, its owners, who pins it, and who looks.

use offheap_core::base::error::Code;
use offheap_core::tracker::record::Birth;
use offheap_core::tracker::row::Row;
use offheap_core::tracker::state::{
    AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot, State,
};
use offheap_core::tracker::table::Tracker;
use offheap_loom::Side::{Here, There};
use offheap_loom::{Memory, explore, explore_exactly, join, one, spawn};
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

/// Whose row a look finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    First,
    Second,
    None,
}

const ALL_SEEN: [Seen; 3] = [Seen::First, Seen::Second, Seen::None];

/// A row is wholly one owner's.
fn seen(row: Option<&Row>) -> Seen {
    let Some(row) = row else { return Seen::None };
    let of = u64::from(row.handle.generation.0).div_ceil(2);
    assert!(is_of(row, of), "{row:?}");
    if of == 1 { Seen::First } else { Seen::Second }
}

#[test]
fn a_row_is_wholly_one_owners_or_there_is_none() {
    explore_exactly(None, ALL_SEEN, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let scans = {
            let tracker = Arc::clone(&tracker);
            spawn(move || seen(tracker.shared_row(slot).as_ref()))
        };
        tracker.shared(slot).unwrap().end(first).unwrap();
        begin(&tracker, slot, 2);
        let seen_there = join(scans);
        assert_eq!(seen(tracker.shared_row(slot).as_ref()), Seen::Second);
        seen_there
    });
}

#[test]
fn a_free_record_in_a_stack_and_its_next_owner_never_show_as_one_row() {
    explore_exactly(None, ALL_SEEN, || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let scans = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                let mut all = Vec::new();
                tracker.scan(|row| all.push(*row));
                assert!(all.len() <= 1 && all.iter().all(|row| row.handle.slot == slot), "{all:?}");
                seen(all.first())
            })
        };
        let record = tracker.shared(slot).unwrap();
        record.end(first).unwrap();
        let chain = offheap_core::tracker::stack::Chain { first: slot, last: slot, count: 1 };
        tracker.give(chain); // its link stands where owner and birth stood
        let again = tracker.take(1).unwrap();
        assert_eq!(again.first, slot);
        begin(&tracker, slot, 2);
        let seen = join(scans);
        tracker.check().unwrap();
        seen
    });
}

#[test]
fn of_two_frees_of_one_owner_one_wins_and_the_next_owner_keeps_what_it_has() {
    explore_exactly(None, [Here, There], || {
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
        let freed = one(mine, join(other));
        let row = tracker.shared_row(slot).unwrap();
        assert!(is_of(&row, 2) && row.handle.generation.0 == first.0 + 2);
        freed
    });
}

/// What became of a claim of what another thread frees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Early,
    Won,
}

#[test]
fn what_one_owner_wrote_happens_before_what_the_next_owner_does() {
    explore_exactly(None, [Claim::Early, Claim::Won], || {
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
                if claimed { Claim::Won } else { Claim::Early }
            })
        };
        let record = tracker.shared(slot).unwrap();
        memory.take(0, 1);
        memory.leave(0, 1);
        record.end_marked(first, State::WAITING).unwrap();
        let claim = join(other);
        memory.assert_writes(1 + u32::from(claim == Claim::Won));
        claim
    });
}

/// What became of a pin that is dropped again, and of a free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pin {
    Refused,
    RefusedTheFree,
    DroppedBeforeTheFree,
}

#[test]
fn a_pin_and_a_free_never_both_succeed_while_the_pin_is_held() {
    explore_exactly(None, [Pin::Refused, Pin::RefusedTheFree, Pin::DroppedBeforeTheFree], || {
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
        assert_eq!(record.state().pins(), 0);
        assert_eq!(record.is_live(first), freed.is_err());
        match (pinned, freed.is_ok()) {
            (false, true) => Pin::Refused,
            (true, false) => Pin::RefusedTheFree,
            (true, true) => Pin::DroppedBeforeTheFree,
            (false, false) => panic!("each refused the other"),
        }
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
fn a_frozen_record_is_ended_by_nobody_else() {
    explore_exactly(None, [Here, There], || {
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
        let ended = one(freed, join(resets));
        assert_eq!(record.state(), State::new(Generation(first.0 + 1), 0));
        ended
    });
}

#[test]
fn a_pin_and_a_freeze_never_hold_one_record_together() {
    explore_exactly(None, [Pin::Refused, Pin::RefusedTheFree, Pin::DroppedBeforeTheFree], || {
        let (tracker, slot) = tracker();
        let first = begin(&tracker, slot, 1);
        let pins = {
            let tracker = Arc::clone(&tracker);
            spawn(move || {
                let record = tracker.shared(slot).unwrap();
                let pinned = record.pin(first);
                if pinned.is_ok() {
                    assert_eq!(record.unpin(first).unwrap().pins(), 1, "frozen while it was pinned");
                }
                pinned.map_err(|refused| refused.code)
            })
        };
        let record = tracker.shared(slot).unwrap();
        let frozen = record.freeze(first).map_err(|refused| refused.code);
        let ended = frozen.is_ok() && record.end_frozen(first).is_ok();
        assert_eq!(record.is_live(first), !ended);
        match (join(pins), frozen) {
            (Err(Code::InUse | Code::UseAfterFree), Ok(_)) => Pin::Refused,
            (Ok(_), Err(Code::InUse)) => Pin::RefusedTheFree,
            (Ok(_), Ok(_)) => Pin::DroppedBeforeTheFree,
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn of_two_who_claim_a_waiting_record_one_has_it_and_sees_its_last_owners_fields() {
    explore_exactly(None, [Here, There], || {
        let (tracker, slot) = tracker();
        let first = Generation(1);
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
        assert_eq!(begin(&tracker, slot, 1), first); // now: what was there before a thread began it sees anyway
        tracker.shared(slot).unwrap().end_marked(first, State::WAITING).unwrap();
        let mine = claims(Arc::clone(&tracker))();
        let claimed = one(mine, join(other));
        assert_eq!(
            tracker.shared_row(slot).unwrap().handle,
            Handle { slot, generation: Generation(first.0 + 2) }
        );
        claimed
    });
}
