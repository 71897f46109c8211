//! An isolate's table: its size, its header, and that Rust trusts no word of it.

use super::super::isolate::{DEFAULT_BYTES, FRONT, FRONT_WORDS, IsolateTable, LAYOUT, word};
use super::super::magazine::{MAGAZINE_SLOTS, MAGAZINES};
use super::super::row::Row;
use super::super::state::{Generation, Handle, Slot};
use super::super::table::Tracker;
use super::lent::{LOAN, lendable, lent, pop};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::sample::select;

/// Bytes of a table with words for no slot.
const HEADER_BYTES: usize = FRONT * size_of::<i32>();
/// Bytes of the words about a slot.
const SLOT_BYTES: usize = FRONT_WORDS * size_of::<i32>();

#[test]
fn a_table_says_its_layout_and_how_large_it_is() {
    for slots in [0, 1, 2, 1000] {
        for slack in [0, 1, SLOT_BYTES - 1] {
            let bytes = HEADER_BYTES + slots * SLOT_BYTES + slack;
            let table = IsolateTable::reserve(bytes).unwrap();
            assert_eq!((table.slots(), table.word(word::LAYOUT)), (slots, LAYOUT));
            assert_eq!(table.bytes().size(), HEADER_BYTES + slots * SLOT_BYTES);
            assert!(table.is_for(bytes) && !table.is_for(bytes + SLOT_BYTES));
        }
    }
    assert_eq!(IsolateTable::reserve(0).unwrap().slots(), 0);
    assert!(IsolateTable::reserve(DEFAULT_BYTES).unwrap().slots() >= 1_000_000);
    let largest = IsolateTable::reserve(usize::MAX).unwrap();
    assert_eq!(largest.slots(), Slot::COUNT as usize, "there are no more slots to have words for");
    assert!(largest.is_for(usize::MAX) && largest.is_for(usize::MAX - 1));
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
fn magazines_lie_apart_from_each_other_and_from_all_other_words() {
    let table = IsolateTable::reserve(0).unwrap();
    for magazine in [0, 1, MAGAZINES - 1] {
        table.open_magazine(magazine, MAGAZINE_SLOTS, 1, true);
        for slot in 1..=MAGAZINE_SLOTS as u32 {
            assert!(table.load(magazine, Slot(slot)));
        }
        assert!(!table.load(magazine, Slot(1)), "it is full");
    }
    for magazine in [0, 1, MAGAZINES - 1] {
        let mut slots = Vec::new();
        table.unload(magazine, 10, |slot| slots.push(slot.0));
        table.unload(magazine, usize::MAX, |slot| slots.push(slot.0));
        assert_eq!(slots, (1..=MAGAZINE_SLOTS as u32).collect::<Vec<_>>(), "the oldest come first");
        assert_eq!(IsolateTable::magazine_at(IsolateTable::home_of(magazine)), Some(magazine));
    }
    for home in [0, 63, 65, 64 + MAGAZINES * 80, usize::MAX] {
        assert_eq!(IsolateTable::magazine_at(home), None);
    }
    let written = |words: std::ops::Range<usize>| words.into_iter().any(|index| table.word(index) != 0);
    assert!(!written(1..64) && !written(IsolateTable::home_of(MAGAZINES)..FRONT));
}

fn rows(tracker: &Tracker) -> Vec<Row> {
    let mut rows = Vec::new();
    tracker.scan(|row| rows.push(*row));
    rows
}

/// Any number, those at the edges often.
fn words() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), select(vec![0, 1, -1, i32::MAX, i32::MIN, 64 << 16, 0x1fff_fffe])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// JavaScript can write anything at any time: every answer is allowed, no panic is.
    #[test]
    fn no_word_in_the_table_makes_rust_panic(
        fronts in proptest::collection::vec((0..40_usize, words()), 0..60),
        header in proptest::collection::vec((1..220_usize, words()), 0..60), generation in any::<u32>(),
    ) {
        let (tracker, table, slots) = lent(4);
        let own = pop(&table, 0, 100).unwrap();
        for (index, value) in fronts {
            table.set_word(FRONT + index, value);
        }
        for (index, value) in header {
            table.set_word(index, value);
        }
        for round in 0..3 {
            table.look();
            table.note_taken(0);
            let _ = (table.live_bytes(), table.high_bytes(), table.allocated_bytes(), table.live_chunks());
            let _ = (table.activity(), table.capacity(0), table.out_of(0), tracker.counters.sum());
            let mut inside = Vec::new();
            table.unload(0, round, |slot| inside.push(slot));
            inside.iter().for_each(|slot| { table.load(0, *slot); });
            for handle in [own, Handle { slot: slots[1], generation: Generation(generation) }] {
                let front = table.front(handle.slot).unwrap();
                let _ = (table.front(handle.slot), table.was_written(handle.slot));
                table.end(Handle { generation: front.generation, ..handle }, 0, front.size);
            }
            prop_assert!(rows(&tracker).len() <= slots.len());
            tracker.each_id(|_| {});
            let _ = tracker.check();
        }
        for slot in slots {
            super::record(&tracker, slot).take_back(slot, &table);
            if lendable(&tracker, &table, slot) {
                prop_assert!(super::record(&tracker, slot).lend(slot, &table, 0, LOAN));
            }
        }
    }
}
