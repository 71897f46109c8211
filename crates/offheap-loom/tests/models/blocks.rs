//! Blocks that JavaScript hands out of a magazine, while another thread looks at all that is live.

use super::script::{Script, assert_none_lent, lending, manager};
use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::row::Row;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, State};
use offheap_loom::{explore, explore_exactly, join, spawn};

pub const ONE: u64 = 30_000;
pub const TWO: u64 = 32_000;

pub fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

/// All rows, of which no two are of one slot.
pub fn rows(manager: &'static Manager) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    manager.tracker.scan(|row| {
        assert!(rows.iter().all(|other| other.handle.slot != row.handle.slot), "a block is there twice");
        rows.push(*row);
    });
    rows
}

/// An isolate that has one block of a magazine, in which nothing is left.
fn isolate(manager: &'static Manager) -> (Isolate, Handle) {
    let isolate = lending(manager);
    assert!(isolate.refill(request(ONE)));
    let block = Script::new(&isolate).take_block(ONE).unwrap();
    (isolate, block)
}

/// The same with more in the magazine.
pub fn stocked(manager: &'static Manager) -> (Isolate, Handle) {
    let (isolate, block) = isolate(manager);
    assert!(isolate.refill(request(TWO)));
    (isolate, block)
}

#[test]
fn a_row_of_a_lent_block_is_wholly_one_owners_where_stores_are_seen_in_their_order() {
    explore(3, || {
        let manager = manager();
        let (isolate, block) = isolate(manager);
        let next = Generation(block.generation.0 + 2);
        let scans = spawn(move || {
            for row in rows(manager) {
                let size = if row.handle.generation == next { TWO } else { ONE };
                assert_eq!((row.handle.slot, row.extent.size), (block.slot, size), "{row:?}");
            }
        });
        let script = Script::in_order(&isolate);
        assert!(script.give_block(block, ONE));
        let other = script.take_block(TWO).unwrap(); // the same slot
        join(scans);
        assert_eq!(other, Handle { slot: block.slot, generation: next });
        assert_eq!(rows(manager).len(), 1);
    });
}

#[test]
fn a_lent_block_that_stays_live_is_seen_once_whatever_becomes_of_others() {
    explore(2, || {
        let manager = manager();
        let (isolate, block) = stocked(manager);
        let scans = spawn(move || {
            let rows = rows(manager);
            let own: Vec<_> = rows.iter().filter(|row| row.handle == block).collect();
            assert!(own.len() == 1 && own[0].extent.size == ONE, "{rows:?}");
            assert!(rows.len() <= 2);
        });
        let script = Script::new(&isolate);
        let other = script.take_block(TWO).unwrap();
        assert!(script.give_block(other, TWO));
        join(scans);
        assert_eq!(rows(manager).len(), 1);
    });
}

/// How a look finds a block that is adopted and then pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Lent,
    Adopted,
    Pinned,
}

#[test]
fn a_block_that_is_adopted_is_seen_once_at_every_moment() {
    explore_exactly(3, [Found::Lent, Found::Adopted, Found::Pinned], || {
        let manager = manager();
        let (isolate, block) = isolate(manager);
        let scans = spawn(move || {
            let rows = rows(manager);
            let [row] = rows[..] else { panic!("{rows:?}") };
            assert!(row.handle == block && row.extent.size == ONE && row.alignment == AlignmentCode::WORD);
            match row.pins {
                0 if row.state == State::new(block.generation, 0) => Found::Lent, // the record's would have its alignment
                0 => Found::Adopted,
                _ => Found::Pinned,
            }
        });
        isolate.pin(block).unwrap();
        let found = join(scans);
        isolate.unpin(block).unwrap();
        isolate.free(block).unwrap();
        assert!(rows(manager).is_empty());
        found
    });
}

#[test]
fn a_block_that_comes_back_by_a_native_call_is_seen_once_or_not_at_all() {
    // How many rows there are.
    explore_exactly(3, [0, 1], || {
        let manager = manager();
        let (isolate, block) = isolate(manager);
        let scans = spawn(move || {
            let rows = rows(manager);
            assert!(rows.iter().all(|row| row.handle == block), "{rows:?}");
            rows.len()
        });
        isolate.free(block).unwrap();
        isolate.trim(); // and what lies in magazines goes to everybody
        let seen = join(scans);
        assert!(rows(manager).is_empty());
        manager.tracker.check().unwrap();
        seen
    });
}

#[test]
fn bytes_that_are_live_are_never_fewer_than_those_of_a_block_that_stays() {
    explore(3, || {
        let manager = manager();
        let (isolate, _) = stocked(manager);
        let looks = spawn(move || {
            let live = manager.tracker.counters.live_bytes();
            assert!(live == ONE || live == ONE + TWO, "{live}");
        });
        let script = Script::new(&isolate);
        let other = script.take_block(TWO).unwrap();
        assert!(script.give_block(other, TWO));
        join(looks);
        let sum = manager.tracker.counters.sum();
        assert_eq!((sum.live_bytes(), sum.live_blocks(), sum.allocated_bytes), (ONE, 1, ONE + TWO));
    });
}

#[test]
fn an_isolate_that_ends_between_any_two_stores_leaves_nothing_live() {
    for stores in 0..=10 {
        explore(2, move || {
            let manager = manager();
            let (isolate, block) = isolate(manager);
            let scans = spawn(move || assert!(rows(manager).len() <= 1));
            let script = Script::stopped_after(&isolate, stores);
            script.give_block(block, ONE); // four stores
            script.take_block(TWO); // six, when it is not stopped before
            drop(isolate);
            join(scans);
            assert!(rows(manager).is_empty());
            manager.tracker.check().unwrap();
            let sum = manager.tracker.counters.sum();
            assert_eq!((sum.live_bytes(), sum.live_blocks()), (0, 0));
            assert_none_lent(manager);
        });
    }
}
