//! Chunks that are lent to an isolate's table, and what its words say about them.

use super::super::isolate::{FRONT, FRONT_WORDS, IsolateTable, TICK_MS, front, word};
use super::super::lent::{Front, Loan, moment, ticks};
use super::super::magazine::header::TAKEN;
use super::super::row::Row;
use super::super::state::{AlignmentCode, Extent, Generation, Handle, Owner, Slot, State};
use super::super::table::Tracker;
use super::{bound, check, open, place, record};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread;

/// As what the tests lend.
pub(super) const LOAN: Loan = Loan { owner: Owner::block(7), label: 9, alignment: AlignmentCode::CACHE_LINE };

/// A table of a tracker, with words for the slots below `slots`.
pub(super) fn table_of(tracker: &Tracker, slots: usize) -> Arc<IsolateTable> {
    let bytes = (FRONT + slots * FRONT_WORDS) * size_of::<i32>();
    let table = Arc::new(IsolateTable::reserve(bytes).unwrap());
    tracker.tables.add(&table);
    table
}

/// `count` slots that are lent to a table, all in its first magazine, the first of them on top.
pub(super) fn lent(count: u32) -> (Tracker, Arc<IsolateTable>, Vec<Slot>) {
    let tracker = Tracker::default();
    let table = table_of(&tracker, 100);
    table.open_magazine(0, 64, 1, false);
    let slots = bound(&tracker, count);
    for slot in slots.iter().rev() {
        assert!(record(&tracker, *slot).lend(*slot, &table, 0, LOAN));
        assert!(table.load(0, *slot));
    }
    (tracker, table, slots)
}

pub(super) fn lendable(tracker: &Tracker, table: &IsolateTable, slot: Slot) -> bool {
    record(tracker, slot).is_lendable(slot, table)
}

/// First of the words about a slot.
fn at(slot: Slot) -> usize {
    FRONT + slot.0 as usize * FRONT_WORDS
}

/// What JavaScript does to the words about a slot that it takes out of a magazine.
pub(super) fn hand_out(table: &IsolateTable, magazine: usize, slot: Slot, size: u16, tick: i32) -> Handle {
    let generation = table.word(at(slot) + front::GENERATION) + 1;
    let home = (IsolateTable::home_of(magazine) << 16) as i32;
    table.set_word(at(slot) + front::HOME, home | i32::from(size.cast_signed()) & 0xffff);
    table.set_word(at(slot) + front::BORN, tick);
    // As it is between JavaScript's stores on a processor that keeps their order.
    fence(Ordering::Release);
    table.set_word(at(slot) + front::GENERATION, generation);
    Handle { slot, generation: Generation(generation.cast_unsigned()) }
}

/// Takes the newest slot out of a magazine of a class, as JavaScript does.
pub(super) fn pop(table: &IsolateTable, magazine: usize, size: u16) -> Option<Handle> {
    let home = IsolateTable::home_of(magazine);
    let left = table.magazine_length(magazine).checked_sub(1)?;
    let slot = Slot(table.word(home + 4 + left).cast_unsigned());
    table.set_word(home, left as i32);
    let handle = hand_out(table, magazine, slot, size, ticks(crate::raw::now_ms()));
    add_live(table, i32::from(size));
    table.set_word(home + TAKEN, table.word(home + TAKEN).wrapping_add(i32::from(size)));
    Some(handle)
}

fn add_live(table: &IsolateTable, bytes: i32) {
    let live = table.word(word::LIVE).wrapping_add(bytes);
    table.set_word(word::LIVE, live);
    if live.wrapping_sub(table.word(word::HIGH)) > 0 {
        table.set_word(word::HIGH, live);
    }
}

fn rows(tracker: &Tracker) -> Vec<Row> {
    let mut rows = Vec::new();
    tracker.scan(|row| rows.push(*row));
    rows
}

#[test]
fn what_a_script_hands_out_has_a_row_until_it_takes_it_back() {
    let (tracker, table, slots) = lent(3);
    assert!(rows(&tracker).is_empty(), "what is lent and idle is free");
    check(&tracker);
    let before = crate::raw::now_ms();
    let handle = pop(&table, 0, 60_000).unwrap();
    let now = crate::raw::now_ms();
    assert_eq!((handle.slot, handle.generation), (slots[0], Generation(1)));
    let row = rows(&tracker)[0];
    assert_eq!((row.handle, row.place), (handle, place(handle.slot.0)));
    assert_eq!(row.extent, Extent { size: 60_000, label: 9 });
    assert_eq!((row.owner, row.alignment, row.pins), (LOAN.owner, LOAN.alignment, 0));
    assert!(row.born_ms + TICK_MS > before && row.born_ms <= now, "{} to {before}", row.born_ms);
    assert_eq!(tracker.shared_row(handle.slot), Some(row));
    assert_eq!((rows(&tracker).len(), record(&tracker, slots[0]).state().generation()), (1, Generation(0)));
    check(&tracker);
    table.end(handle, 0, 60_000);
    assert!(rows(&tracker).is_empty());
    check(&tracker);
}

#[test]
fn a_block_of_a_magazine_of_one_size_has_that_size() {
    let (tracker, table, slots) = lent(1);
    table.open_magazine(5, 8, 3 << 20, true);
    record(&tracker, slots[0]).take_back(slots[0], &table);
    assert!(record(&tracker, slots[0]).lend(slots[0], &table, 5, LOAN));
    table.set_word(word::CLOCK, 77);
    let handle = table.begin(slots[0], 5, None).unwrap();
    let front =
        Front { generation: handle.generation, home: IsolateTable::home_of(5), size: 3 << 20, born: 77 };
    assert_eq!(table.front(slots[0]), Some(front));
    assert_eq!(rows(&tracker)[0].extent.size, 3 << 20);
    assert_eq!((table.live_bytes(), table.live_chunks(), table.taken_of(5)), (3 << 20, 1, 1));
    assert_eq!(table.allocated_bytes(), 3 << 20);
    table.end(handle, 5, 3 << 20);
    assert_eq!((table.live_bytes(), table.live_chunks(), table.taken_of(5)), (0, 0, 1));
}

#[test]
fn only_what_was_never_viewed_has_a_life_left_and_has_words_is_lent() {
    let tracker = Tracker::default();
    let table = table_of(&tracker, 4);
    table.open_magazine(0, 64, 1, false);
    let slots = bound(&tracker, 5); // 1 to 5
    tracker.bind(slots[1], place(2), State::EVER_VIEWED);
    tracker.age(slots[2], Generation::MAX);
    for (slot, lends) in slots.iter().zip([true, false, false, false, false]) {
        let before = record(&tracker, *slot).state();
        assert_eq!(lendable(&tracker, &table, *slot), lends, "{slot:?}");
        assert_eq!(record(&tracker, *slot).lend(*slot, &table, 0, LOAN), lends, "{slot:?}");
        assert_eq!(record(&tracker, *slot).state() == before, !lends, "a refusal changes nothing");
    }
    assert!(table.front(Slot(3)).is_some() && table.front(Slot(4)).is_none());
    let unknown = IsolateTable::reserve((FRONT + 400) * size_of::<i32>()).unwrap();
    assert!(!record(&tracker, slots[4]).lend(slots[4], &unknown, 0, LOAN), "nobody would find its words");
    check(&tracker);
}

#[test]
fn what_is_taken_back_goes_on_with_the_generation_that_the_words_tell() {
    let (tracker, table, slots) = lent(1);
    for _ in 0..5 {
        let handle = pop(&table, 0, 10).unwrap();
        table.end(handle, 0, 10);
        assert!(table.load(0, handle.slot));
    }
    table.unload(0, 1, |_| ());
    let record = record(&tracker, slots[0]);
    record.take_back(slots[0], &table);
    assert_eq!(record.state(), State::new(Generation(10), 0));
    assert_eq!(table.front(slots[0]).map(|front| (front.generation, front.home)), Some((Generation(10), 0)));
    let next = open(&tracker, slots[0], 5);
    assert_eq!(next.generation, Generation(11), "no id comes twice");
    check(&tracker);
}

#[test]
fn a_record_that_speaks_for_a_lent_block_says_what_the_words_said() {
    let (tracker, table, slots) = lent(1);
    let handle = pop(&table, 0, 1234).unwrap();
    let before = rows(&tracker)[0];
    let front = table.front(slots[0]).unwrap();
    let record = record(&tracker, slots[0]);
    record.speak(handle, front, before.born_ms);
    table.forget(slots[0], 0, front.size, front.size);
    let after = rows(&tracker)[0];
    assert_eq!(Row { state: before.state, ..after }, before);
    assert!(!after.state.has(State::LENT) && tracker.live(handle).is_ok());
    assert_eq!((table.live_bytes(), table.live_chunks(), table.allocated_bytes()), (0, 0, 0));
    record.pin(handle.generation).unwrap();
    check(&tracker);
}

#[test]
fn words_of_a_slot_s_next_owner_are_not_withdrawn_with_those_of_the_one_before() {
    let (tracker, table, slots) = lent(2);
    let handle = hand_out(&table, 0, slots[0], 70, 5);
    let record = record(&tracker, slots[0]);
    record.speak(handle, table.front(slots[0]).unwrap(), 0);
    table.withdraw(handle);
    assert_eq!(table.front(slots[0]).unwrap().generation, Generation(0));
    // Its owner ended it, and the record is of a block by now, which the words repeat.
    let next = Handle { generation: Generation(handle.generation.0 + 2), ..handle };
    table.repeat(next);
    table.withdraw(handle);
    assert_eq!(table.front(slots[0]).unwrap().generation, next.generation);
}

#[test]
fn ids_of_lent_blocks_are_among_those_that_were_given() {
    let (tracker, table, _) = lent(2);
    let highest = |tracker: &Tracker| {
        let mut highest = 0;
        tracker.each_id(|id| highest = highest.max(id));
        highest
    };
    assert_eq!(highest(&tracker), 0);
    let first = pop(&table, 0, 10).unwrap();
    assert_eq!(highest(&tracker), first.id());
    table.end(first, 0, 10);
    assert_eq!(highest(&tracker), first.id(), "a dead one was given as well");
    table.load(0, first.slot);
    let second = pop(&table, 0, 10).unwrap();
    assert_eq!((second.slot, highest(&tracker)), (first.slot, second.id()));
    let mut lent = Vec::new();
    tracker.each_lent(&table, |handle, _| lent.push(handle));
    assert_eq!(lent[0], second);
    let other = table_of(&tracker, 100);
    tracker.each_lent(&other, |handle, _| panic!("{handle:?} is another table's"));
}

/// A script takes on until it took `total`, and tells each 2^30.
fn take_until(table: &IsolateTable, total: u64) {
    while table.taken_of(0) < total {
        let taken = total.min(table.taken_of(0) + (1 << 30));
        table.set_word(IsolateTable::home_of(0) + TAKEN, (taken as u32).cast_signed());
        table.note_taken(0);
    }
}

#[test]
fn what_was_taken_is_summed_across_the_wrap_of_its_word() {
    for start in [(1_u64 << 31) - 5, (1 << 32) - 5, (1 << 32) - 1, 3 * (1 << 31) - 30, (1 << 33) - 1] {
        let (_tracker, table, _) = lent(1);
        take_until(&table, start);
        for round in 1..20 {
            let handle = pop(&table, 0, 3).unwrap();
            assert_eq!(table.allocated_bytes(), start + 3 * round);
            table.end(handle, 0, 3);
            table.load(0, handle.slot);
        }
        assert_eq!((table.allocated_bytes(), table.live_bytes()), (start + 57, 0));
        table.note_taken(0);
        assert_eq!(table.allocated_bytes(), start + 57);
        table.open_magazine(0, 64, 1, false);
        assert_eq!((table.taken_of(0), table.allocated_bytes()), (0, start + 57), "its past is kept");
        table.close_magazines();
        assert_eq!(table.allocated_bytes(), start + 57);
    }
}

#[test]
fn what_is_live_is_summed_across_the_wrap_of_its_word() {
    let step = 1 << 30; // less than half around between two looks
    let (_tracker, table, _) = lent(1);
    let (mut live, mut steps) = (0_u64, [1_i64; 12].to_vec());
    steps.extend([-1; 12]);
    for direction in steps {
        add_live(&table, (direction * step) as i32);
        live = live.wrapping_add_signed(direction * step);
        let high = if direction < 0 { live + step.cast_unsigned() } else { live };
        assert_eq!((table.live_bytes(), table.high_bytes()), (live, high));
        table.look();
        assert_eq!((table.live_bytes(), table.high_bytes()), (live, live));
    }
    assert_eq!(live, 0);
}

#[test]
fn a_maximum_to_which_a_native_call_led_is_seen() {
    let (tracker, table, _) = lent(2);
    let counter = tracker.counters.counter_with(Some(Arc::clone(&table)));
    let mut taken = Vec::new();
    table.unload(0, 2, |slot| taken.push(slot));
    let first = table.begin(taken[0], 0, Some(1000)).unwrap();
    counter.look();
    let second = table.begin(taken[1], 0, Some(500)).unwrap();
    counter.look();
    let front = table.front(second.slot).unwrap();
    record(&tracker, second.slot).speak(second, front, 0);
    table.forget(second.slot, 0, 500, 500);
    counter.adopted(500);
    record(&tracker, second.slot).end(second.generation).unwrap();
    counter.freed(500);
    table.end(first, 0, 1000);
    counter.look();
    assert_eq!((table.live_bytes(), tracker.counters.peak_bytes()), (0, 1500));
}

#[test]
fn a_sum_beside_a_script_never_counts_a_free_without_its_allocation() {
    let (tracker, table, _) = lent(1);
    let counter = tracker.counters.counter_with(Some(Arc::clone(&table)));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let counter = counter; // it stays in this thread
            for _ in 0..20_000 {
                let handle = pop(&table, 0, 100).unwrap();
                let front = table.front(handle.slot).unwrap();
                let record = record(&tracker, handle.slot);
                counter.look();
                record.speak(handle, front, 0);
                table.forget(handle.slot, 0, 100, 100);
                counter.adopted(100);
                record.end(handle.generation).unwrap();
                counter.freed(100);
                assert!(record.lend(handle.slot, &table, 0, LOAN) && table.load(0, handle.slot));
            }
            stop.store(true, Ordering::Relaxed);
        });
        while !stop.load(Ordering::Relaxed) {
            let sum = tracker.counters.sum();
            assert!(sum.allocated_bytes >= sum.freed_bytes && sum.allocations >= sum.frees, "{sum:?}");
            assert!(sum.allocated_bytes <= 40_000 * 100, "{sum:?}");
        }
    });
    assert_eq!(tracker.counters.sum().live_blocks(), 0);
}

#[test]
fn a_lent_record_that_is_live_itself_is_told() {
    let (tracker, _table, slots) = lent(2);
    for flags in [1 << 35, State::EVER_VIEWED] {
        let word = record(&tracker, slots[1]).state;
        let before = word.fetch_or(flags, Ordering::Relaxed);
        assert!(tracker.check().is_err(), "{flags:#x}");
        word.store(before, Ordering::Relaxed);
        check(&tracker);
    }
}

#[test]
fn two_blocks_in_the_same_bytes_are_told_though_one_is_lent() {
    let (tracker, table, _) = lent(1);
    let other = bound(&tracker, 1)[0];
    let handle = pop(&table, 0, 100).unwrap();
    tracker.bind(other, place(handle.slot.0), 0);
    open(&tracker, other, 100);
    assert!(tracker.check().unwrap_err().contains("same bytes"));
}

#[test]
fn a_tick_names_the_moment_that_it_was_made_of() {
    let around = (1_u64 << 32) * TICK_MS;
    let bases = [4, 1000, around - 40, around + 4, 3 * around - 4, (1 << 40) - 12];
    for born in bases.into_iter().flat_map(|base| base..base + 8) {
        let (tick, exact) = (ticks(born), born / TICK_MS * TICK_MS);
        if (born / TICK_MS) as u32 == 0 {
            continue; // see below
        }
        for age in [0, 1, 3, 4, 5, 1000, 1 << 31, around - 300] {
            assert_eq!(moment(tick, born + age), exact, "{born} + {age}");
        }
        assert!(moment(tick, born.saturating_sub(TICK_MS)) <= born, "a clock that is a little ahead is now");
    }
    // 0 says that nobody keeps the time: what it would name is told as the next tick, as soon as that is there.
    for born in [0, 3, around, around + 3] {
        assert_eq!((ticks(born), moment(1, born)), (1, born / TICK_MS * TICK_MS));
        assert_eq!(moment(1, born + 100), born / TICK_MS * TICK_MS + TICK_MS);
    }
}
