//! Records in an isolate's table.

use super::super::isolate::{HEADER_WORDS, IsolateTable, LAYOUT, RECORD_WORDS, field, flag, word};
use super::super::record::SEGMENT_SLOTS;
use super::super::row::Row;
use super::super::state::{Extent, Generation, Handle, Place, Slot, State};
use super::super::table::Tracker;
use super::{bound, check, in_step, open};
use crate::base::error::{Code, Error};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::sync::Arc;
use std::thread;

/// Bytes of a header, and of each part of records.
const PART_BYTES: usize = SEGMENT_SLOTS * RECORD_WORDS * size_of::<i32>();

/// A tracker with one table of `parts` parts, all of them adopted.
fn adopted(parts: usize) -> (Tracker, Arc<IsolateTable>) {
    let tracker = Tracker::default();
    let table = Arc::new(IsolateTable::reserve((parts + 1) * PART_BYTES).unwrap());
    assert_eq!(table.parts(), parts);
    for part in 0..parts {
        tracker.adopt(&table, part).unwrap();
    }
    (tracker, table)
}

/// Fields of a record at a place of its own, all made from one number.
fn fields(number: i32) -> [i32; RECORD_WORDS] {
    let place = super::place(number.cast_unsigned()).pack();
    let mut fields = [0; RECORD_WORDS];
    fields[field::SIZE] = number % 60_000 + 1;
    fields[field::BORN] = number + 2;
    fields[field::FLAGS] = (number % 1000) << 16;
    fields[field::SPAN] = (place >> 32) as i32;
    fields[field::OFFSET] = place as u32 as i32;
    fields
}

fn rows(tracker: &Tracker) -> Vec<Row> {
    let mut rows = Vec::new();
    tracker.scan(|row| rows.push(*row));
    rows
}

/// Writes a record's generation, as a script that went wild could.
fn set_generation(table: &IsolateTable, index: usize, generation: u32) {
    table.set_word(HEADER_WORDS + index * RECORD_WORDS, generation.cast_signed());
}

#[test]
fn a_table_says_its_layout_and_how_large_it_is() {
    for parts in 0..3 {
        for slack in [0, 1, PART_BYTES - 1] {
            let bytes = (parts + 1) * PART_BYTES + slack;
            let table = IsolateTable::reserve(bytes).unwrap();
            assert_eq!((table.parts(), table.word(word::LAYOUT)), (parts, LAYOUT));
            assert_eq!(table.bytes().size(), (parts + 1) * PART_BYTES);
            assert!(table.is_for(bytes) && !table.is_for(bytes + PART_BYTES));
        }
    }
    assert_eq!(IsolateTable::reserve(0).unwrap().parts(), 0);
    assert!(IsolateTable::reserve(usize::MAX).is_none());
    assert!(IsolateTable::reserve(1 << 52).is_none());
}

#[test]
fn an_argument_of_two_words_is_one_number() {
    let table = IsolateTable::reserve(0).unwrap();
    table.set_word(word::ARGUMENT + 2, -1);
    table.set_word(word::ARGUMENT + 3, 0x1f_ffff);
    assert_eq!(table.argument_u64(2), (1 << 53) - 1);
    table.set_word(word::ARGUMENT + 3, -2);
    assert_eq!(table.argument_u64(2), u64::MAX - (1 << 32));
}

#[test]
fn records_of_several_parts_begin_read_back_and_end() {
    let (tracker, table) = adopted(2);
    let before = bound(&tracker, 1)[0]; // a shared segment behind the table's
    assert_eq!(before, Slot(2 << 16));
    let handles: Vec<Handle> = [0, 1, 65_535, 65_536, 65_537, 131_071]
        .map(|slot| table.begin(Slot(slot), fields(slot.cast_signed())).unwrap())
        .to_vec();
    check(&tracker);
    let rows = rows(&tracker);
    assert_eq!(rows.iter().map(|row| row.handle).collect::<Vec<_>>(), handles);
    for row in rows {
        let number = row.handle.slot.0;
        assert_eq!(row.place, Place { class: row.place.class, ..super::place(number) });
        assert_eq!(
            row.extent,
            Extent { size: u64::from(number) % 60_000 + 1, label: (number % 1000) as u16 }
        );
        assert_eq!((row.born_ms, row.pins), ((u64::from(number) + 2) * 8, 0));
        assert_eq!(table.place(row.handle).map(Place::unpack), Ok(super::place(number)));
    }
    for handle in &handles {
        table.end(*handle).unwrap();
        assert_eq!(table.end(*handle).unwrap_err().code, Code::DoubleFree);
        assert_eq!(table.pin(*handle).unwrap_err().code, Code::UseAfterFree);
        assert_eq!(table.unpin(*handle).unwrap_err().code, Code::UseAfterFree);
        assert_eq!(table.promote(*handle, before).unwrap_err().code, Code::UseAfterFree);
        assert_eq!(table.place(*handle).unwrap_err().code, Code::UseAfterFree);
    }
    assert!(self::rows(&tracker).is_empty());
    assert_eq!(tracker.used(), [SEGMENT_SLOTS, SEGMENT_SLOTS, 1]);
}

#[test]
fn slots_of_other_segments_are_nobodys_here() {
    let (tracker, table) = adopted(1);
    let shared = open(&tracker, bound(&tracker, 1)[0], 5);
    assert_eq!(table.begin(shared.slot, fields(1)).unwrap_err().code, Code::Corrupted);
    assert_eq!(table.end(shared).unwrap_err().code, Code::DoubleFree);
    assert_eq!(table.pin(shared).unwrap_err().code, Code::UseAfterFree);
    assert!(tracker.shared(Slot(3)).is_none(), "a table's record is no shared one");
    let unplaced = IsolateTable::reserve(2 * PART_BYTES).unwrap();
    for slot in [0, 1 << 16, u32::MAX] {
        assert_eq!(unplaced.begin(Slot(slot), fields(1)).unwrap_err().code, Code::Corrupted);
    }
}

#[test]
fn a_live_record_is_not_begun_and_a_spent_one_neither() {
    let (tracker, table) = adopted(1);
    let handle = table.begin(Slot(4), fields(4)).unwrap();
    assert_eq!(table.begin(Slot(4), fields(5)).unwrap_err().code, Code::Corrupted);
    table.end(handle).unwrap();
    assert_eq!(table.begin(Slot(4), fields(4)).unwrap().generation.0, handle.generation.0 + 2);
    set_generation(&table, 5, Generation::MAX.0 - 2);
    let last = table.begin(Slot(5), fields(5)).unwrap();
    assert_eq!(last.generation.0, Generation::MAX.0 - 1);
    table.end(last).unwrap();
    assert_eq!(table.begin(Slot(5), fields(5)).unwrap_err().code, Code::Limit);
    check(&tracker);
}

#[test]
fn pins_of_an_isolate_record_are_counted_and_bounded() {
    let (_tracker, table) = adopted(1);
    let handle = table.begin(Slot(0), fields(0)).unwrap();
    assert_eq!(table.unpin(handle).unwrap_err().code, Code::Corrupted);
    for _ in 0..State::PINS_MAX {
        table.pin(handle).unwrap();
    }
    assert_eq!(table.pin(handle), Err(Error::new(Code::InUse, 1, 65_535)));
    assert_eq!(table.end(handle), Err(Error::new(Code::InUse, 0, 65_535)));
    assert_eq!(table.row(0, 0).unwrap().fields[field::SIZE], 1);
    for _ in 0..State::PINS_MAX {
        table.unpin(handle).unwrap();
    }
    assert_eq!(table.unpin(handle).unwrap_err().code, Code::Corrupted);
    table.end(handle).unwrap();
}

#[test]
fn pins_are_counted_across_the_wrap_of_their_words() {
    let (_tracker, table) = adopted(1);
    let mut wrapping = fields(0);
    wrapping[field::PINS] = i32::MAX;
    wrapping[field::DROPPED] = i32::MAX;
    let handle = table.begin(Slot(0), wrapping).unwrap();
    table.pin(handle).unwrap();
    table.pin(handle).unwrap();
    assert_eq!(table.end(handle), Err(Error::new(Code::InUse, 0, 2)));
    table.unpin(handle).unwrap();
    table.unpin(handle).unwrap();
    table.end(handle).unwrap();
}

#[test]
fn another_thread_drops_the_pins_and_then_the_owner_ends() {
    let (_tracker, table) = adopted(1);
    for _ in 0..200 {
        let handle = table.begin(Slot(9), fields(9)).unwrap();
        for _ in 0..50 {
            table.pin(handle).unwrap();
        }
        thread::scope(|scope| {
            scope.spawn(|| (0..50).for_each(|_| table.unpin(handle).unwrap()));
            // The owner may try at any time; it wins exactly when the last pin is gone.
            while let Err(error) = table.end(handle) {
                assert_eq!(error.code, Code::InUse);
                assert!((1..=50).contains(&error.available), "{} pins", error.available);
                thread::yield_now();
            }
        });
        assert_eq!(table.end(handle).unwrap_err().code, Code::DoubleFree);
    }
}

#[test]
fn one_pin_is_dropped_once_however_many_threads_try() {
    const ROUNDS: u32 = 20_000;
    let (_tracker, table) = adopted(1);
    let handles: Vec<Handle> =
        (0..ROUNDS).map(|slot| table.begin(Slot(slot), fields(slot.cast_signed())).unwrap()).collect();
    handles.iter().for_each(|handle| table.pin(*handle).unwrap());
    let drops = in_step(ROUNDS, |round| table.unpin(handles[round as usize]).map_err(|error| error.code));
    for ([one, other], handle) in drops.into_iter().zip(handles) {
        assert_eq!(one.or(other), Ok(()));
        assert_eq!(one.and(other), Err(Code::Corrupted), "two threads dropped one pin");
        table.end(handle).unwrap();
    }
}

#[test]
fn a_promoted_record_leaves_the_row_to_the_shared_one() {
    let (tracker, table) = adopted(1);
    let handle = table.begin(Slot(2), fields(2)).unwrap();
    let shared = bound(&tracker, 1)[0];
    tracker.bind(shared, super::place(2), 0);
    let spoken = open(&tracker, shared, 3);
    table.promote(handle, shared).unwrap();
    assert_eq!(rows(&tracker).iter().map(|row| row.handle).collect::<Vec<_>>(), [spoken]);
    let row = table.row(0, 2).unwrap();
    assert_eq!((row.handle, row.fields[field::BORN]), (handle, shared.0.cast_signed()));
    assert_eq!(row.fields[field::FLAGS] & flag::PROMOTED, flag::PROMOTED);
    check(&tracker);
    table.end(handle).unwrap();
    assert!(table.row(0, 2).is_none());
}

#[test]
fn a_view_and_its_label_stand_in_the_row() {
    let (tracker, table) = adopted(1);
    let mut viewed = fields(0);
    viewed[field::FLAGS] = (0xfffe << 16) | flag::VIEWED;
    table.begin(Slot(0), viewed).unwrap();
    let row = rows(&tracker)[0];
    assert!(row.state.has(State::VIEWED));
    assert_eq!(row.extent.label, 0xfffe);
}

#[test]
fn a_table_that_counts_more_records_than_it_has_is_not_believed() {
    let (tracker, table) = adopted(2);
    for (records, used) in
        [(i32::MAX, [SEGMENT_SLOTS; 2]), (-1, [0, 0]), (i32::MIN, [0, 0]), (65_540, [SEGMENT_SLOTS, 4])]
    {
        table.set_word(word::RECORDS, records);
        assert_eq!(tracker.used(), used);
        assert!(rows(&tracker).is_empty());
        check(&tracker);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// JavaScript can write anything at any time: every answer is allowed, no panic is.
    #[test]
    fn no_word_in_the_table_makes_rust_panic(
        words in proptest::collection::vec((0..40_usize, any::<i32>()), 0..60),
        header in proptest::collection::vec((0..64_usize, any::<i32>()), 0..10), generation in any::<u32>(),
    ) {
        let (tracker, table) = adopted(1);
        let own = table.begin(Slot(1), fields(1)).unwrap();
        for (index, value) in words {
            table.set_word(HEADER_WORDS + index, value);
        }
        for (index, value) in header {
            table.set_word(index, value);
        }
        for handle in [own, Handle { slot: Slot(2), generation: Generation(generation) }] {
            let _ = (table.pin(handle), table.unpin(handle), table.place(handle), table.promote(handle, Slot(9)));
            let _ = (table.end(handle), table.begin(handle.slot, fields(3)), table.end(handle));
        }
        prop_assert!(rows(&tracker).len() <= SEGMENT_SLOTS);
        tracker.each_id(|_| {});
        let _ = (tracker.check(), table.argument_u64(14));
    }
}
