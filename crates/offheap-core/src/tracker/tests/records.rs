//! One record: its owners, its pins.

use super::super::state::{AlignmentCode, Generation, Handle, Slot, State};
use super::super::table::Tracker;
use super::{birth, bound, check, in_step, next_live, open, record};
use crate::base::error::{Code, Error};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const THREADS: usize = 4;
const RECORDS: u32 = 10_000;
const RACES: u32 = 20_000;

#[test]
fn a_generation_is_freed_once_however_many_threads_try() {
    let tracker = Tracker::default();
    let slots = bound(&tracker, RECORDS);
    for round in 1..=3 {
        let handles: Vec<Handle> = slots.iter().map(|slot| open(&tracker, *slot, round)).collect();
        let winners: Vec<AtomicU32> = handles.iter().map(|_| AtomicU32::new(0)).collect();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for (handle, won) in handles.iter().zip(&winners) {
                        match record(&tracker, handle.slot).end(handle.generation) {
                            Ok(before) => {
                                assert_eq!(before.generation(), handle.generation);
                                won.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => assert_eq!(error.code, Code::DoubleFree),
                        }
                    }
                });
            }
        });
        assert!(winners.iter().all(|won| won.load(Ordering::Relaxed) == 1));
        check(&tracker);
    }
}

#[test]
fn of_two_frees_at_the_same_moment_one_wins() {
    let tracker = Tracker::default();
    let handles: Vec<Handle> = bound(&tracker, RACES).iter().map(|slot| open(&tracker, *slot, 1)).collect();
    let ends = in_step(RACES, |round| {
        let handle = handles[round as usize];
        record(&tracker, handle.slot).end(handle.generation).map_err(|error| error.code)
    });
    for [one, other] in ends {
        assert!(one.is_ok() != other.is_ok());
        assert_eq!(one.and(other).unwrap_err(), Code::DoubleFree);
    }
    check(&tracker);
}

#[test]
fn a_pin_and_a_free_of_one_owner_never_both_succeed() {
    let tracker = Tracker::default();
    let handles: Vec<Handle> = bound(&tracker, RACES).iter().map(|slot| open(&tracker, *slot, 1)).collect();
    let turns: Vec<AtomicU32> = handles.iter().map(|_| AtomicU32::new(0)).collect();
    let both = in_step(RACES, |round| {
        let (handle, record) = (handles[round as usize], record(&tracker, handles[round as usize].slot));
        // Whoever comes first pins, the other frees; in odd rounds the other way round.
        let second = turns[round as usize].fetch_add(1, Ordering::Relaxed);
        if (round + second).is_multiple_of(2) {
            record.pin(handle.generation).map_err(|error| assert_eq!(error.code, Code::UseAfterFree))
        } else {
            record.end(handle.generation).map_err(|error| assert_eq!(error.code, Code::InUse))
        }
    });
    for ([one, other], handle) in both.into_iter().zip(handles) {
        assert!(one.is_ok() != other.is_ok(), "one of the two must win: slot {}", handle.slot.0);
        let state = record(&tracker, handle.slot).state();
        assert_eq!(state.generation().is_live(), state.pins() == 1);
    }
    check(&tracker);
}

#[test]
fn two_pins_or_two_drops_at_the_same_moment_are_two() {
    let tracker = Tracker::default();
    let handles: Vec<Handle> = bound(&tracker, RACES).iter().map(|slot| open(&tracker, *slot, 1)).collect();
    let of =
        |round: u32| (record(&tracker, handles[round as usize].slot), handles[round as usize].generation);
    for [one, other] in in_step(RACES, |round| of(round).0.pin(of(round).1).unwrap().pins()) {
        assert_eq!(one + other, 1, "one saw no pin before its own, the other saw one");
    }
    for [one, other] in in_step(RACES, |round| of(round).0.unpin(of(round).1).unwrap().pins()) {
        assert_eq!(one + other, 3);
    }
    assert!((0..RACES).all(|round| of(round).0.state().pins() == 0));
}

#[test]
fn pins_of_many_threads_are_counted_to_the_last() {
    let tracker = Tracker::default();
    let handle = open(&tracker, bound(&tracker, 1)[0], 8);
    let record = record(&tracker, handle.slot);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..5000 {
                    record.pin(handle.generation).unwrap();
                    assert_eq!(record.end(handle.generation).unwrap_err().code, Code::InUse);
                    record.unpin(handle.generation).unwrap();
                }
                record.pin(handle.generation).unwrap();
            });
        }
    });
    assert_eq!(record.state().pins(), THREADS as u64);
    assert_eq!(record.end(handle.generation), Err(Error::new(Code::InUse, 0, THREADS as u64)));
    for _ in 0..THREADS {
        record.unpin(handle.generation).unwrap();
    }
    record.end(handle.generation).unwrap();
}

#[test]
fn the_pin_after_the_last_is_refused_and_changes_nothing() {
    let tracker = Tracker::default();
    let handle = open(&tracker, bound(&tracker, 1)[0], 8);
    let record = record(&tracker, handle.slot);
    record.update(handle.generation, |state| Ok(State(state.0 | State::EVER_VIEWED))).unwrap();
    let unpinned = record.state();
    for pins in 0..State::PINS_MAX {
        assert_eq!(record.pin(handle.generation).unwrap().pins(), pins);
    }
    let full = record.state();
    assert_eq!(record.pin(handle.generation), Err(Error::new(Code::InUse, 1, 65_535)));
    assert_eq!(record.state(), full);
    assert_eq!(full, State(unpinned.0 | (State::PINS_MAX * State::PIN)), "no pin carries into the flags");
    for _ in 0..State::PINS_MAX {
        record.unpin(handle.generation).unwrap();
    }
    assert_eq!(record.state(), unpinned);
    assert_eq!(record.unpin(handle.generation).unwrap_err().code, Code::Corrupted);
    assert_eq!(record.state(), unpinned, "a pin that nobody took is not dropped");
    record.end(handle.generation).unwrap();
}

#[test]
fn an_owner_of_the_past_can_do_nothing() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    let (old, record) = (open(&tracker, slot, 8), record(&tracker, slot));
    record.end(old.generation).unwrap();
    let new = open(&tracker, slot, 9);
    assert_eq!(new.generation, next_live(old.generation));
    let state = record.state();
    assert_eq!(record.end(old.generation).unwrap_err().code, Code::DoubleFree);
    assert_eq!(record.pin(old.generation).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(record.unpin(old.generation).unwrap_err().code, Code::UseAfterFree);
    assert_eq!(tracker.live(old).unwrap_err().code, Code::UseAfterFree);
    assert!(!record.is_live(old.generation) && record.is_live(new.generation));
    assert_eq!(record.state(), state);
}

#[test]
fn a_free_generation_is_nobodys_handle() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    let record = record(&tracker, slot);
    for free in [Generation(0), Generation(2)] {
        assert_eq!(record.state().generation(), free);
        assert!(!record.is_live(free));
        assert_eq!(record.end(free).unwrap_err().code, Code::DoubleFree);
        assert_eq!(record.pin(free).unwrap_err().code, Code::UseAfterFree);
        assert!(tracker.live(Handle { slot, generation: free }).is_err());
        let handle = open(&tracker, slot, 1);
        record.end(handle.generation).unwrap();
    }
}

#[test]
fn slots_and_generations_that_cannot_exist_are_refused() {
    let tracker = Tracker::default();
    let live = open(&tracker, bound(&tracker, 1)[0], 1);
    for slot in [1 << 16, Slot::COUNT - 1, Slot::COUNT, u32::MAX] {
        let handle = Handle { slot: Slot(slot), generation: live.generation };
        assert!(tracker.shared(handle.slot).is_none(), "slot {slot}");
        assert_eq!(tracker.live(handle).unwrap_err().code, Code::UseAfterFree);
    }
    for generation in [live.generation.0 + (1 << 29), u32::MAX, live.generation.0 | 1 << 31] {
        let handle = Handle { generation: Generation(generation), ..live };
        assert_eq!(tracker.live(handle).unwrap_err().code, Code::UseAfterFree);
        assert_eq!(record(&tracker, live.slot).end(handle.generation).unwrap_err().code, Code::DoubleFree);
    }
}

#[test]
fn a_live_record_tells_what_it_was_born_with() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    let handle = open(&tracker, slot, 12_345);
    let row = tracker.shared_row(slot).unwrap();
    let expected = birth(12_345);
    assert_eq!((row.handle, row.place, row.extent), (handle, super::place(slot.0), expected.extent));
    assert_eq!(
        (row.born_ms, row.owner, row.alignment),
        (12_345 * 3, expected.origin.owner, AlignmentCode::PAGE)
    );
    assert_eq!((row.age_ms(12_345 * 3 + 20), row.age_ms(12_345 * 3)), (20, 0));
    record(&tracker, slot).end(handle.generation).unwrap();
    assert!(tracker.shared_row(slot).is_none());
}

#[test]
fn an_age_is_right_across_the_wrap_of_the_clock() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    let mut late = birth(1);
    late.origin.born_ms = (1 << 40) - 5;
    let _ = record(&tracker, slot).begin(late).unwrap();
    assert_eq!(tracker.shared_row(slot).unwrap().age_ms((1 << 40) + 7), 12);
}
