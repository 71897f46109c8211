//! Grants that JavaScript hands out of a magazine, while another isolate comes to the allocator.

use super::script::{Held, Script, assert_none_lent, lending, manager};
use offheap_core::manager::allocators::{AllocatorId, Kind};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_loom::Side::{Here, There};
use offheap_loom::{Memory, explore, explore_exactly, join, one, spawn};
use std::sync::Arc;

const TOTAL: u64 = 64 << 10;
const SIZE: u64 = 512;
/// The largest of which an isolate keeps one.
const LARGE: u64 = 1024;
/// A piece of an arena is a sixty-fourth of it.
const ARENA: u64 = 256 << 10;

/// An isolate that has an allocator alone, and two grants of it in a magazine.
struct Owner {
    isolate: Isolate,
    id: AllocatorId,
    home: usize,
}

fn owner(manager: &'static Manager) -> Owner {
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let id = script.open(Kind::Slab, TOTAL);
    let (first, _) = script.ask(id, SIZE);
    let (second, _) = script.ask(id, SIZE);
    isolate.free_in(id, first.handle, SIZE).unwrap();
    isolate.free_in(id, second.handle, SIZE).unwrap();
    let (third, home) = script.ask(id, SIZE); // tells where they are
    assert!(home != 0 && script.give(id, third));
    Owner { isolate, id, home }
}

/// Another isolate comes, takes one, and ends.
fn comes(manager: &'static Manager, memory: Arc<Memory>) -> impl FnOnce() + Send {
    move || {
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Slab, TOTAL);
        let (held, _) = script.ask(id, SIZE);
        memory.take(held.offset, SIZE);
        memory.leave(held.offset, SIZE);
        isolate.free_in(id, held.handle, SIZE).unwrap();
    }
}

fn take(script: &Script<'_>, owner: &Owner, memory: &Memory) -> Held {
    let held = script.take(owner.id, owner.home, SIZE).unwrap_or_else(|| script.ask(owner.id, SIZE).0);
    memory.take(held.offset, SIZE);
    held
}

fn give(script: &Script<'_>, owner: &Owner, memory: &Memory, held: Held) {
    memory.leave(held.offset, SIZE);
    if !script.give(owner.id, held) {
        owner.isolate.free_in(owner.id, held.handle, SIZE).unwrap();
    }
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory::new(32 * SIZE, SIZE))
}

/// When all have ended, or given back what they had.
fn assert_free(manager: &'static Manager, id: AllocatorId) {
    let allocator = manager.allocators.get(id).unwrap();
    allocator.check().unwrap();
    manager.tracker.check().unwrap();
    let stats = allocator.stats(manager);
    assert_eq!((stats.blocks, stats.requested, stats.held), (0, 0, 0));
    assert_none_lent(manager);
}

#[test]
fn what_a_script_takes_while_another_isolate_comes_is_nobody_elses() {
    explore(3, || {
        let (manager, memory) = (manager(), memory());
        let owner = owner(manager);
        let other = spawn(comes(manager, Arc::clone(&memory)));
        let script = Script::new(&owner.isolate);
        let held = take(&script, &owner, &memory);
        join(other);
        give(&script, &owner, &memory, held);
        drop(owner.isolate);
        assert_free(manager, owner.id);
    });
}

#[test]
fn what_a_script_gives_back_while_another_isolate_comes_is_free_once() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let owner = owner(manager);
        let script = Script::new(&owner.isolate);
        let held = take(&script, &owner, &memory);
        let other = spawn(comes(manager, Arc::clone(&memory)));
        give(&script, &owner, &memory, held);
        join(other);
        drop(owner.isolate);
        assert_free(manager, owner.id);
    });
}

#[test]
fn of_a_script_s_give_back_and_another_isolate_s_free_of_the_same_grant_one_wins() {
    explore_exactly(2, [Here, There], || {
        let manager = manager();
        let owner = owner(manager);
        let script = Script::new(&owner.isolate);
        let held = script.take(owner.id, owner.home, SIZE).unwrap();
        let other = spawn(move || {
            let isolate = lending(manager);
            let id = Script::new(&isolate).open(Kind::Slab, TOTAL);
            isolate.free_in(id, held.handle, SIZE).is_ok()
        });
        let mine = script.give(owner.id, held) || owner.isolate.free_in(owner.id, held.handle, SIZE).is_ok();
        let freed = one(mine, join(other));
        drop(owner.isolate);
        assert_free(manager, owner.id);
        freed
    });
}

#[test]
fn an_isolate_that_ends_between_any_two_stores_while_another_comes_leaves_nothing_live() {
    for stores in 1..=13 {
        explore(1, move || {
            let (manager, memory) = (manager(), memory());
            let owner = owner(manager);
            let other = spawn(comes(manager, Arc::clone(&memory)));
            let script = Script::stopped_after(&owner.isolate, stores);
            if let Some(held) = script.take(owner.id, owner.home, SIZE) {
                script.give(owner.id, held); // eight stores and six, when it is not stopped before
            }
            drop(owner.isolate);
            join(other);
            assert_free(manager, owner.id);
        });
    }
}

#[test]
fn an_arena_s_piece_that_a_script_cuts_while_another_isolate_comes_is_nobody_elses() {
    explore(2, || {
        let manager = manager();
        let memory = Arc::new(Memory::new(32 * SIZE, SIZE)); // all of it lies in the first piece and behind it
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Arena, ARENA);
        let piece = isolate.allocate_in(id, SIZE, Label::NONE).unwrap();
        memory.take(piece.offset, SIZE);
        let other = {
            let memory = Arc::clone(&memory);
            spawn(move || {
                let isolate = lending(manager);
                let id = Script::new(&isolate).open(Kind::Arena, ARENA);
                let taken = isolate.allocate_in(id, SIZE, Label::NONE).unwrap();
                memory.take(taken.offset, SIZE);
            })
        };
        assert!(piece.home != 0);
        if let Some(cut) = script.cut(id, piece.home, SIZE) {
            memory.take(piece.stretch_at + cut, SIZE);
        }
        join(other);
        let taken = isolate.allocate_in(id, SIZE, Label::NONE).unwrap();
        memory.take(taken.offset, SIZE);
        manager.allocators.get(id).unwrap().check().unwrap();
    });
}

#[test]
fn stores_of_the_only_user_and_exchanges_of_who_comes_lose_nothing() {
    explore(2, || {
        let (manager, memory) = (manager(), Arc::new(Memory::new(TOTAL, LARGE)));
        let isolate = Isolate::open(manager, Some(0)).unwrap(); // lends nothing: all by native calls
        let script = Script::new(&isolate);
        let id = script.open(Kind::Slab, TOTAL);
        let (first, _) = script.ask(id, LARGE);
        isolate.free_in(id, first.handle, LARGE).unwrap(); // it waits for the next request
        let other = {
            let memory = Arc::clone(&memory);
            spawn(move || {
                let isolate = Isolate::open(manager, Some(0)).unwrap();
                let script = Script::new(&isolate);
                let id = script.open(Kind::Slab, TOTAL);
                isolate.trim_allocator(id).unwrap(); // takes all that waits
                let (held, _) = script.ask(id, LARGE);
                memory.take(held.offset, LARGE);
                memory.leave(held.offset, LARGE);
                isolate.free_in(id, held.handle, LARGE).unwrap();
            })
        };
        let (held, _) = script.ask(id, LARGE);
        memory.take(held.offset, LARGE);
        memory.leave(held.offset, LARGE);
        isolate.free_in(id, held.handle, LARGE).unwrap();
        join(other);
        drop(isolate);
        assert_free(manager, id);
    });
}
