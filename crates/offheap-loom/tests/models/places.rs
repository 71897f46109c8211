//! Places that a ring lends to the isolate that has it alone, while another comes to it, or looks at its figures.

use super::script::{Held, Lent, Script, assert_none_lent, lending, manager};
use offheap_core::manager::allocators::{AllocatorId, Kind};
use offheap_core::manager::{Isolate, Manager};
use offheap_loom::{Memory, explore, join, spawn};
use std::sync::Arc;

const SIZE: u64 = 512;
/// So many grants fill a ring.
const PLACES: u64 = 8;
const TOTAL: u64 = PLACES * SIZE;

/// An isolate with one grant of a ring that was lent to it, and others that lie ready behind it.
fn owner(manager: &'static Manager, memory: &Memory) -> (Isolate, Held, Lent) {
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let id = script.open(Kind::Ring, TOTAL);
    let (first, _) = script.ask(id, SIZE);
    isolate.free_in(id, first.handle, SIZE).unwrap();
    let (held, lent) = script.ask(id, SIZE);
    memory.take(held.offset, SIZE);
    (isolate, held, lent.expect("two of one size"))
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory::new(TOTAL, SIZE))
}

fn take(script: &Script<'_>, lent: Lent, memory: &Memory) -> Held {
    let held = script.take_place(lent, SIZE).unwrap_or_else(|| script.ask(lent.id, SIZE).0);
    memory.take(held.offset, SIZE);
    held
}

fn end(script: &Script<'_>, lent: Lent, memory: &Memory, held: Held) {
    memory.leave(held.offset, SIZE);
    if !script.end_place(lent, held) {
        script.isolate.free_in(lent.id, held.handle, SIZE).unwrap();
    }
}

/// When all have ended what they had.
fn assert_free(manager: &'static Manager, id: AllocatorId) {
    let allocator = manager.allocators.get(id).unwrap();
    allocator.check().unwrap();
    manager.tracker.check().unwrap();
    let stats = allocator.stats(manager);
    assert_eq!((stats.blocks, stats.requested, stats.held), (0, 0, 0));
}

/// Another isolate comes, takes so many, and ends.
fn comes(manager: &'static Manager, memory: Arc<Memory>, count: usize) -> impl FnOnce() + Send {
    move || {
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Ring, TOTAL);
        for _ in 0..count {
            let (held, _) = script.ask(id, SIZE);
            memory.take(held.offset, SIZE);
            memory.leave(held.offset, SIZE);
            isolate.free_in(id, held.handle, SIZE).unwrap();
        }
    }
}

#[test]
fn a_place_that_a_script_takes_and_ends_while_another_isolate_comes_is_nobody_elses() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let (isolate, held, lent) = owner(manager, &memory);
        let other = spawn(comes(manager, Arc::clone(&memory), 1));
        let script = Script::new(&isolate);
        let next = take(&script, lent, &memory);
        end(&script, lent, &memory, held);
        join(other);
        end(&script, lent, &memory, next);
        drop(isolate);
        assert_free(manager, lent.id);
        assert_none_lent(manager);
    });
}

#[test]
fn what_an_only_user_of_a_ring_asks_for_beside_another_who_comes_is_nobody_elses() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let (isolate, held, lent) = owner(manager, &memory);
        let other = spawn(comes(manager, Arc::clone(&memory), 2));
        let script = Script::new(&isolate);
        let (large, _) = script.ask(lent.id, 2 * SIZE); // what was not taken goes back before
        memory.take(large.offset, 2 * SIZE);
        join(other);
        memory.leave(large.offset, 2 * SIZE);
        isolate.free_in(lent.id, large.handle, 2 * SIZE).unwrap();
        end(&script, lent, &memory, held);
        drop(isolate);
        assert_free(manager, lent.id);
        assert_none_lent(manager);
    });
}

#[test]
fn a_script_and_native_calls_go_on_in_a_ring_beside_statistics_of_who_does_not_use_it() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let (isolate, held, lent) = owner(manager, &memory);
        let other = spawn(move || manager.allocators.get(lent.id).unwrap().stats(manager));
        let script = Script::new(&isolate);
        let next = take(&script, lent, &memory);
        end(&script, lent, &memory, held);
        let (large, _) = script.ask(lent.id, 2 * SIZE);
        memory.take(large.offset, 2 * SIZE);
        let stats = join(other);
        assert!(stats.held <= 4 * SIZE && stats.held + stats.free == TOTAL, "{stats:?}");
        end(&script, lent, &memory, next);
        memory.leave(large.offset, 2 * SIZE);
        isolate.free_in(lent.id, large.handle, 2 * SIZE).unwrap();
        assert_free(manager, lent.id);
    });
}

#[test]
fn an_isolate_that_ends_between_any_two_stores_while_another_comes_to_its_ring_leaves_nothing_live() {
    // Between the two, after six, nobody has to wait for it: two isolates that end at once have too many ways.
    for stores in (1..6).chain(7..9) {
        explore(1, move || {
            let (manager, memory) = (manager(), memory());
            let (isolate, held, lent) = owner(manager, &memory);
            memory.leave(held.offset, SIZE);
            let other = spawn(comes(manager, Arc::clone(&memory), 1));
            let script = Script::stopped_after(&isolate, stores);
            if script.take_place(lent, SIZE).is_some() {
                script.end_place(lent, held); // six stores and three, when it is not stopped before
            }
            drop(isolate);
            join(other);
            assert_free(manager, lent.id);
            assert_none_lent(manager);
        });
    }
}

#[test]
fn what_an_isolate_that_ends_was_lent_goes_back_once_when_another_comes_to_its_ring() {
    explore(1, || {
        let (manager, memory) = (manager(), memory());
        let (isolate, held, lent) = owner(manager, &memory);
        let script = Script::new(&isolate);
        let next = take(&script, lent, &memory);
        end(&script, lent, &memory, next); // behind one that lives
        memory.leave(held.offset, SIZE);
        let two = lending(manager);
        let other = spawn(move || {
            Script::new(&two).open(Kind::Ring, TOTAL);
            two
        });
        drop(isolate);
        let two = join(other);
        let (last, _) = Script::new(&two).ask(lent.id, SIZE); // its record is nobody else's, and in no stack
        manager.tracker.check().unwrap();
        two.free_in(lent.id, last.handle, SIZE).unwrap();
        assert_free(manager, lent.id);
        assert_none_lent(manager);
    });
}
