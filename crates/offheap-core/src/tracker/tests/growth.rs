//! The directory: more records, spent records, no records.

use super::super::record::SEGMENT_SLOTS;
use super::super::stack::Links;
use super::super::state::{Generation, Handle, Slot, State};
use super::super::table::Tracker;
use super::{birth, bound, check, open, place, record};
use crate::base::error::Code;
use std::collections::HashSet;
use std::thread;

#[test]
fn seventy_thousand_records_grow_a_second_segment_and_none_moves() {
    let tracker = Tracker::default();
    let first = bound(&tracker, 10);
    let handles: Vec<Handle> = first.iter().map(|slot| open(&tracker, *slot, 77)).collect();
    let words: Vec<_> = first.iter().map(|slot| std::ptr::from_ref(record(&tracker, *slot).state)).collect();
    let more = bound(&tracker, 70_000);
    assert_eq!(more.iter().chain(&first).collect::<HashSet<_>>().len(), 70_010, "every slot is given once");
    assert!(more.iter().any(|slot| slot.0 as usize >= SEGMENT_SLOTS));
    for slot in &more {
        open(&tracker, *slot, u64::from(slot.0) % 60_000 + 1);
    }
    for (handle, word) in handles.iter().zip(words) {
        let record = tracker.live(*handle).unwrap();
        assert!(std::ptr::eq(record.state, word), "a record moved");
        assert_eq!((record.extent(), record.place()), (birth(77).extent, place(handle.slot.0)));
    }
    let mut rows = 0;
    tracker.scan(|row| {
        rows += 1;
        assert_eq!(row.place, place(row.handle.slot.0));
    });
    assert_eq!(rows, 70_010);
    assert_eq!(tracker.used(), [SEGMENT_SLOTS, 1 + 70_010 - SEGMENT_SLOTS]);
    check(&tracker);
}

#[test]
fn threads_that_grow_the_directory_together_get_different_records() {
    let tracker = Tracker::default();
    let taken = thread::scope(|scope| {
        let grow = || {
            let mut slots = Vec::new();
            for most in (1..400).cycle().take(1000) {
                tracker.walk(tracker.take(most % 60 + 1).unwrap(), |slot| slots.push(slot));
            }
            slots
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(grow)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<Slot>>()
    });
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len());
    assert!(tracker.used().iter().sum::<usize>() >= taken.len());
    check(&tracker);
}

#[test]
fn records_that_are_given_back_are_taken_again_before_new_ones() {
    let tracker = Tracker::default();
    let chain = tracker.take(10).unwrap();
    assert_eq!((chain.first, chain.last, chain.count), (Slot(1), Slot(10), 10)); // no id is 0
    tracker.give(chain);
    check(&tracker);
    assert_eq!(tracker.take(4).unwrap().count, 4);
    assert_eq!(tracker.take(100).unwrap().first, Slot(5));
    assert_eq!(tracker.used(), [11]);
    check(&tracker);
}

#[test]
fn no_id_is_zero() {
    let tracker = Tracker::default();
    tracker.open().unwrap();
    tracker.open().unwrap();
    let all = bound(&tracker, 100);
    assert!(all.iter().all(|slot| open(&tracker, *slot, 1).id() > 0));
    assert_eq!(tracker.used(), [101], "opening takes nothing for good");
    check(&tracker);
}

#[test]
fn a_take_of_none_is_a_take_of_one() {
    let tracker = Tracker::default();
    assert_eq!(tracker.take(0).unwrap().count, 1);
    tracker.take(u32::MAX).unwrap();
    assert_eq!(tracker.used(), [SEGMENT_SLOTS], "a take never crosses a segment");
    let chain = tracker.take(0).unwrap();
    assert_eq!(
        (chain.first, chain.last, chain.count),
        (Slot(SEGMENT_SLOTS as u32), Slot(SEGMENT_SLOTS as u32), 1)
    );
    check(&tracker);
}

#[test]
fn a_spent_record_retires_and_its_memory_lives_on_under_a_fresh_one() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    tracker.bind(slot, place(slot.0), State::EVER_VIEWED | State::CLEAN);
    tracker.age(slot, Generation(Generation::MAX.0 - 2));
    let last = open(&tracker, slot, 10);
    assert_eq!(last.generation.0, Generation::MAX.0 - 1);
    record(&tracker, slot).end(last.generation).unwrap();
    assert!(record(&tracker, slot).begin(birth(11)).is_none(), "no generation is left");
    assert_eq!(record(&tracker, slot).state().generation(), Generation::MAX);

    let fresh = tracker.replace_spent(slot).unwrap();
    assert_ne!(fresh, slot);
    assert_eq!(tracker.retired(), 1);
    assert_eq!(record(&tracker, fresh).place(), place(slot.0), "the same memory");
    assert!(record(&tracker, fresh).state().has(State::EVER_VIEWED));
    let handle = open(&tracker, fresh, 11);
    check(&tracker);

    assert_eq!(record(&tracker, slot).place(), place(slot.0), "the old handle's address is still told");
    assert_eq!(record(&tracker, slot).end(last.generation).unwrap_err().code, Code::DoubleFree);
    assert!(tracker.live(last).is_err() && tracker.live(handle).is_ok());
    assert_ne!(last.id(), handle.id());
    let mut rows = Vec::new();
    tracker.scan(|row| rows.push(row.handle));
    assert_eq!(rows, [handle], "a retired record is no row");
    let mut highest = 0;
    tracker.each_id(|id| highest = highest.max(id));
    assert_eq!(highest, last.id());
}

#[test]
fn what_is_known_of_the_memory_moves_to_the_fresh_record() {
    for flags in [0, State::CLEAN, State::CLEAN | State::DECOMMITTED, State::EVER_VIEWED] {
        let tracker = Tracker::default();
        let slot = bound(&tracker, 1)[0];
        tracker.bind(slot, place(0), flags);
        tracker.age(slot, Generation::MAX);
        let fresh = tracker.replace_spent(slot).unwrap();
        assert_eq!(record(&tracker, fresh).state(), State::new(Generation(0), flags));
        assert!(record(&tracker, slot).state().has(State::RETIRED));
        check(&tracker);
    }
}

#[test]
fn a_full_directory_is_an_error_that_costs_nothing_each_time() {
    let tracker = Tracker::with_segments(2);
    for _ in 0..2 {
        tracker.take(u32::MAX).unwrap();
    }
    assert_eq!(tracker.used(), [SEGMENT_SLOTS; 2]);
    let before = address_space_bytes();
    for _ in 0..20_000 {
        assert_eq!(tracker.take(1).unwrap_err().code, Code::OutOfMemory);
    }
    // A segment is 2 MiB: 20,000 of them are 40 GiB, more than all other tests together map.
    let grown = address_space_bytes().saturating_sub(before);
    assert!(grown < 20 << 30, "failing cost {} MiB of address space", grown >> 20);
    check(&tracker);
}

/// What the process has mapped; 0 where nothing tells.
fn address_space_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().next().and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * crate::raw::page_size() as u64
}

#[test]
fn a_broken_tracker_is_told() {
    let tracker = Tracker::default();
    let slots = bound(&tracker, 3);
    open(&tracker, slots[0], 100);
    tracker.bind(slots[1], place(slots[0].0), 0);
    open(&tracker, slots[1], 1);
    assert!(tracker.check().unwrap_err().contains("same bytes"));

    let tracker = Tracker::default();
    let chain = tracker.take(3).unwrap();
    tracker.give(chain);
    open(&tracker, chain.last, 1);
    assert!(tracker.check().is_err(), "a live record in the free stack");

    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    record(&tracker, slot).set_free_flags(State::RETIRED, 0);
    assert!(tracker.check().unwrap_err().contains("retired"));
    record(&tracker, slot).set_free_flags(State::PIN, State::RETIRED);
    assert!(tracker.check().unwrap_err().contains("pins"));
}
