//! Scans beside threads that begin and end as fast as they can.

use super::super::isolate::IsolateTable;
use super::super::record::Birth;
use super::super::row::Row;
use super::super::stack::{Links, Stack};
use super::super::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Slot};
use super::super::table::Tracker;
use super::lent::{LOAN, hand_out, lent};
use super::{bound, check, next_live, record};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread;

/// Records that change hands: few, so that a scan meets each in the middle of a change.
const RECORDS: u32 = 24;
const SCANS: u32 = 4000;

/// Tells the other threads to stop, also when this one panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts what a reader saw, and tells when that proves something: many reads, of many owners.
#[derive(Default)]
struct Seen {
    reads: u32,
    owners: u32,
    last: Option<Handle>,
}

impl Seen {
    fn note(&mut self, handle: Option<Handle>) {
        self.reads += 1;
        if handle.is_some() && handle != self.last {
            self.owners += 1;
            self.last = handle;
        }
    }

    fn is_enough(&self, reads: u32) -> bool {
        self.reads >= reads && self.owners >= 500
    }
}

/// A number that only this owner of this record has.
fn fingerprint(handle: Handle) -> u64 {
    handle.id().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Fields that tell whose they are.
fn birth_of(handle: Handle) -> Birth {
    let print = fingerprint(handle);
    Birth {
        extent: Extent { size: print & 0xffff, label: (print >> 16) as u16 },
        origin: Origin { born_ms: print >> 24, owner: Owner((print >> 8) as u32 & 0xff_ffff) },
        alignment: AlignmentCode(((print >> 50) % 31) as u8),
    }
}

#[track_caller]
fn assert_of_one_owner(row: &Row) {
    let birth = birth_of(row.handle);
    assert!(row.handle.generation.is_live());
    assert_eq!(row.state.generation(), row.handle.generation);
    assert_eq!(
        (row.extent, row.alignment),
        (birth.extent, birth.alignment),
        "fields of another owner: {row:?}"
    );
    assert_eq!(
        (row.born_ms, row.owner),
        (birth.origin.born_ms, birth.origin.owner),
        "origin of another owner: {row:?}"
    );
    assert_eq!(row.place, super::place(row.handle.slot.0));
}

/// Takes records off the stack, opens, closes and returns them, until told to stop.
fn change_hands(tracker: &Tracker, stack: &Stack, stop: &AtomicBool) {
    let _stop = Stop(stop);
    while !stop.load(Ordering::Relaxed) {
        let Some(chain) = stack.pop(tracker, 3) else { continue };
        let mut open = Vec::new();
        tracker.walk(chain, |slot| open.push(slot));
        for slot in &open {
            let record = record(tracker, *slot);
            let handle = Handle { slot: *slot, generation: next_live(record.state().generation()) };
            let (generation, _) = record.begin(birth_of(handle)).unwrap();
            assert_eq!(generation, handle.generation);
        }
        for slot in &open {
            let record = record(tracker, *slot);
            record.end(record.state().generation()).unwrap();
        }
        stack.push(tracker, tracker.chain(&open).unwrap());
    }
}

#[test]
fn every_row_of_a_scan_is_of_one_owner_while_records_change_hands() {
    let tracker = Tracker::default();
    let stack = Stack::new();
    stack.push(&tracker, tracker.chain(&bound(&tracker, RECORDS)).unwrap());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| change_hands(&tracker, &stack, &stop));
        }
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(50_000) && !stop.load(Ordering::Relaxed) {
            tracker.scan(|row| {
                assert_of_one_owner(row);
                seen.note(Some(row.handle));
            });
        }
    });
    check(&tracker);
}

#[test]
fn a_row_is_of_one_owner_though_the_record_does_nothing_but_change_hands() {
    let tracker = Tracker::default();
    let slot = bound(&tracker, 1)[0];
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (_stop, record, mut generation) = (Stop(&stop), record(&tracker, slot), Generation(0));
            while !stop.load(Ordering::Relaxed) {
                let handle = Handle { slot, generation: next_live(generation) };
                let birth = birth_of(handle);
                if generation.is_live() {
                    record.end(generation).unwrap();
                }
                // A reader that seldom gets a processor may not have seen enough when the last of 2^28 owners is gone: some seconds.
                let Some((begun, _)) = record.begin(birth) else {
                    assert_eq!(
                        generation.0,
                        Generation::MAX.0 - 1,
                        "refused before its generations were spent"
                    );
                    break;
                };
                generation = begun;
                assert_eq!(generation, handle.generation);
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(2_000_000) && !stop.load(Ordering::Relaxed) {
            let row = tracker.shared_row(slot);
            row.iter().for_each(assert_of_one_owner);
            seen.note(row.map(|row| row.handle));
        }
    });
}

#[test]
fn a_record_that_stays_live_is_in_every_scan() {
    let tracker = Tracker::default();
    let slots = bound(&tracker, RECORDS);
    let stack = Stack::new();
    stack.push(&tracker, tracker.chain(&slots[1..]).unwrap());
    let kept = Handle { slot: slots[0], generation: Generation(1) };
    let _ = record(&tracker, kept.slot).begin(birth_of(kept)).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| change_hands(&tracker, &stack, &stop));
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                record(&tracker, kept.slot).pin(kept.generation).unwrap();
                record(&tracker, kept.slot).unpin(kept.generation).unwrap();
            }
        });
        let _stop = Stop(&stop);
        for _ in 0..SCANS {
            let mut seen = 0;
            tracker.scan(|row| seen += u32::from(row.handle == kept));
            assert_eq!(seen, 1, "pins come and go, the row stays");
        }
    });
}

/// The size of a lent block, which tells whose it is.
fn size_of(handle: Handle) -> u16 {
    fingerprint(handle) as u16 | 1
}

/// Hands a lent chunk out to its next owner.
fn lent_out(table: &IsolateTable, slot: Slot) -> Handle {
    let last = table.front(slot).unwrap().generation;
    let handle = Handle { slot, generation: next_live(last) };
    assert_eq!(hand_out(table, 0, slot, size_of(handle), 1), handle);
    handle
}

#[track_caller]
fn assert_of_one_lent_owner(row: &Row) {
    assert!(row.handle.generation.is_live());
    assert_eq!(row.extent.size, u64::from(size_of(row.handle)), "size of another owner: {row:?}");
    assert_eq!((row.extent.label, row.owner, row.alignment), (LOAN.label, LOAN.owner, LOAN.alignment));
    assert_eq!(row.place, super::place(row.handle.slot.0));
}

#[test]
fn every_lent_row_is_of_one_owner_while_its_script_runs() {
    let (tracker, table, slots) = lent(RECORDS);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _stop = Stop(&stop);
            while !stop.load(Ordering::Relaxed) {
                let handles: Vec<Handle> = slots.iter().map(|slot| lent_out(&table, *slot)).collect();
                for handle in handles {
                    table.end(handle, 0, u64::from(size_of(handle)));
                    fence(Ordering::Release); // as in `hand_out`
                }
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(50_000) && !stop.load(Ordering::Relaxed) {
            tracker.scan(|row| {
                assert_of_one_lent_owner(row);
                seen.note(Some(row.handle));
            });
        }
    });
    check(&tracker);
}

#[test]
fn a_row_is_of_one_owner_while_its_chunk_is_lent_and_spoken_for_in_turns() {
    let (tracker, table, slots) = lent(1);
    let (slot, stop) = (slots[0], AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let (_stop, record) = (Stop(&stop), record(&tracker, slot));
            while !stop.load(Ordering::Relaxed) {
                let handle = lent_out(&table, slot);
                record.speak(handle, table.front(slot).unwrap(), 0);
                table.forget(slot, 0, 0, 0);
                record.end(handle.generation).unwrap();
                assert!(record.lend(slot, &table, 0, LOAN));
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(500_000) && !stop.load(Ordering::Relaxed) {
            let row = tracker.shared_row(slot);
            row.iter().for_each(assert_of_one_lent_owner);
            seen.note(row.map(|row| row.handle));
        }
    });
}

#[test]
fn a_lent_block_is_in_every_scan_also_when_its_record_begins_to_speak() {
    let (tracker, table, slots) = lent(1);
    let (slot, stop) = (slots[0], AtomicBool::new(false));
    let life = AtomicU64::new(0); // odd while the block lives
    thread::scope(|scope| {
        scope.spawn(|| {
            let (_stop, record) = (Stop(&stop), record(&tracker, slot));
            while !stop.load(Ordering::Relaxed) {
                let handle = lent_out(&table, slot);
                life.fetch_add(1, Ordering::SeqCst);
                (0..handle.generation.0 % 256).for_each(|_| std::hint::spin_loop());
                record.speak(handle, table.front(slot).unwrap(), 0);
                table.forget(slot, 0, 0, 0);
                (0..1000).for_each(|_| std::hint::spin_loop());
                life.fetch_add(1, Ordering::SeqCst);
                record.end(handle.generation).unwrap();
                assert!(record.lend(slot, &table, 0, LOAN));
            }
        });
        let (_stop, mut lives) = (Stop(&stop), 0);
        while lives < 200_000 && !stop.load(Ordering::Relaxed) {
            let before = life.load(Ordering::SeqCst);
            let row = tracker.shared_row(slot);
            if before % 2 == 1 && life.load(Ordering::SeqCst) == before {
                assert!(row.is_some(), "a block that lived all the time has no row");
                lives += 1;
            }
        }
    });
}
