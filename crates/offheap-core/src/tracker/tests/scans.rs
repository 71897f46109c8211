//! Scans beside threads that begin and end as fast as they can.

use super::super::isolate::{HEADER_WORDS, IsolateTable, RECORD_WORDS, field};
use super::super::record::Birth;
use super::super::row::Row;
use super::super::stack::{Links, Stack};
use super::super::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Slot};
use super::super::table::Tracker;
use super::{bound, check, next_live, record};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
                generation = record.begin(birth).unwrap().0;
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

fn isolate_fields(handle: Handle) -> [i32; RECORD_WORDS] {
    let (birth, place) = (birth_of(handle), super::place(handle.slot.0).pack());
    let mut fields = [0; RECORD_WORDS];
    fields[field::SIZE] = birth.extent.size as i32;
    fields[field::BORN] = (birth.origin.born_ms & 0x3fff_ffff) as i32;
    fields[field::FLAGS] = i32::from(birth.extent.label.cast_signed()) << 16;
    fields[field::SPAN] = (place >> 32) as i32;
    fields[field::OFFSET] = place as u32 as i32;
    fields
}

#[test]
fn every_isolate_row_is_of_one_owner_while_its_isolate_runs() {
    let tracker = Tracker::default();
    let table = Arc::new(IsolateTable::reserve(2 * HEADER_WORDS * size_of::<i32>()).unwrap());
    tracker.adopt(&table, 0).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _stop = Stop(&stop);
            let mut generations = [Generation(0); RECORDS as usize];
            while !stop.load(Ordering::Relaxed) {
                for (slot, generation) in (0..).map(Slot).zip(&mut generations) {
                    let handle = Handle { slot, generation: next_live(*generation) };
                    assert_eq!(table.begin(slot, isolate_fields(handle)), Ok(handle));
                    *generation = Generation(handle.generation.0 + 1);
                }
                for (slot, generation) in (0..).map(Slot).zip(&generations) {
                    table.end(Handle { slot, generation: Generation(generation.0 - 1) }).unwrap();
                }
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(20_000) && !stop.load(Ordering::Relaxed) {
            tracker.scan(|row| {
                let birth = birth_of(row.handle);
                assert_eq!(row.extent, birth.extent, "fields of another owner: {row:?}");
                assert_eq!(row.born_ms, (birth.origin.born_ms & 0x3fff_ffff) * 8);
                assert_eq!(row.place, super::place(row.handle.slot.0));
                seen.note(Some(row.handle));
            });
        }
    });
    check(&tracker);
}

#[test]
fn an_isolate_row_is_of_one_owner_though_the_record_does_nothing_but_change_hands() {
    let tracker = Tracker::default();
    let table = Arc::new(IsolateTable::reserve(2 * HEADER_WORDS * size_of::<i32>()).unwrap());
    tracker.adopt(&table, 0).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (_stop, mut last) = (Stop(&stop), None::<Handle>);
            while !stop.load(Ordering::Relaxed) {
                let generation = next_live(last.map_or(Generation(0), |last| last.generation));
                let handle = Handle { slot: Slot(0), generation };
                let fields = isolate_fields(handle);
                if let Some(last) = last {
                    table.end(last).unwrap();
                }
                assert_eq!(table.begin(handle.slot, fields), Ok(handle));
                last = Some(handle);
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(2_000_000) && !stop.load(Ordering::Relaxed) {
            let row = table.row(0, 0);
            if let Some(row) = row {
                let expected = isolate_fields(row.handle);
                assert_eq!(row.fields[1..], expected[1..], "fields of another owner than {:?}", row.handle);
            }
            seen.note(row.map(|row| row.handle));
        }
    });
}

#[test]
fn a_record_that_is_promoted_never_shows_its_new_words_as_its_old_ones() {
    let tracker = Tracker::default();
    let table = Arc::new(IsolateTable::reserve(2 * HEADER_WORDS * size_of::<i32>()).unwrap());
    tracker.adopt(&table, 0).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (_stop, mut generation) = (Stop(&stop), Generation(0));
            while !stop.load(Ordering::Relaxed) {
                let handle = Handle { slot: Slot(0), generation: next_live(generation) };
                table.begin(handle.slot, isolate_fields(handle)).unwrap();
                table.promote(handle, Slot(0xff_ffff)).unwrap();
                table.end(handle).unwrap();
                generation = Generation(handle.generation.0 + 1);
            }
        });
        let (_stop, mut seen) = (Stop(&stop), Seen::default());
        while !seen.is_enough(3_000_000) && !stop.load(Ordering::Relaxed) {
            let row = table.row(0, 0);
            seen.note(row.map(|row| row.handle));
            if let Some(row) = row {
                let promoted = row.fields[field::FLAGS] & super::super::isolate::flag::PROMOTED != 0;
                let born = row.fields[field::BORN];
                assert!(promoted || born == isolate_fields(row.handle)[field::BORN], "{row:?}");
            }
        }
    });
}
