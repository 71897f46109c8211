//! Grants that JavaScript hands out of a magazine, while another isolate comes to the allocator, or recalls what is lent.

use super::script::{Held, Lent, Script, assert_none_lent, lending, manager};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{AllocatorId, Kind};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_loom::{Memory, explore, explore_exactly, join, spawn};
use std::sync::Arc;

const TOTAL: u64 = 64 << 10;
const SIZE: u64 = 512;
/// The largest of which an isolate keeps one.
const LARGE: u64 = 1024;
/// A piece of an arena is a sixty-fourth of it.
const ARENA: u64 = 256 << 10;

/// An isolate with two grants of an allocator in a magazine.
struct Owner {
    isolate: Isolate,
    lent: Lent,
}

fn owner(manager: &'static Manager) -> Owner {
    let isolate = lending(manager);
    let script = Script::new(&isolate);
    let id = script.open(Kind::Slab, TOTAL);
    let (first, _) = script.ask(id, SIZE);
    let (second, _) = script.ask(id, SIZE);
    isolate.free_in(id, first.handle, SIZE).unwrap();
    isolate.free_in(id, second.handle, SIZE).unwrap();
    let (third, lent) = script.ask(id, SIZE); // tells where they are
    let lent = lent.unwrap();
    assert!(script.give(lent, third));
    Owner { isolate, lent }
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

/// Another isolate comes, and would reset: it recalls what is lent, and a pin of its own refuses the rest.
fn recalls(manager: &'static Manager, memory: Arc<Memory>) -> impl FnOnce() + Send {
    move || {
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Slab, TOTAL);
        let (held, _) = script.ask(id, SIZE);
        memory.take(held.offset, SIZE);
        isolate.pin_in(id, held.handle).unwrap();
        assert_eq!(isolate.reset_allocator(id).unwrap_err().code, Code::InUse);
        isolate.unpin_in(id, held.handle).unwrap();
        memory.leave(held.offset, SIZE);
        isolate.free_in(id, held.handle, SIZE).unwrap();
    }
}

fn take(script: &Script<'_>, lent: Lent, memory: &Memory) -> (Held, Lent) {
    let (held, lent) = match script.take(lent, SIZE) {
        Some(held) => (held, lent),
        None => {
            let (held, next) = script.ask(lent.id, SIZE);
            (held, next.unwrap_or(lent))
        }
    };
    memory.take(held.offset, SIZE);
    (held, lent)
}

fn give(script: &Script<'_>, lent: Lent, memory: &Memory, held: Held) {
    memory.leave(held.offset, SIZE);
    if !script.give(lent, held) {
        script.isolate.free_in(lent.id, held.handle, SIZE).unwrap();
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
        let (held, lent) = take(&script, owner.lent, &memory);
        join(other);
        give(&script, lent, &memory, held);
        drop(owner.isolate);
        assert_free(manager, lent.id);
    });
}

#[test]
fn what_a_script_takes_while_another_isolate_recalls_it_is_nobody_elses() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let owner = owner(manager);
        let other = spawn(recalls(manager, Arc::clone(&memory)));
        let script = Script::new(&owner.isolate);
        let (held, lent) = take(&script, owner.lent, &memory);
        give(&script, lent, &memory, held);
        let (held, lent) = take(&script, lent, &memory);
        join(other);
        give(&script, lent, &memory, held);
        drop(owner.isolate);
        assert_free(manager, lent.id);
    });
}

#[test]
fn what_a_script_gives_back_while_another_isolate_recalls_it_is_free_once() {
    explore(2, || {
        let (manager, memory) = (manager(), memory());
        let owner = owner(manager);
        let script = Script::new(&owner.isolate);
        let (held, lent) = take(&script, owner.lent, &memory);
        let other = spawn(recalls(manager, Arc::clone(&memory)));
        give(&script, lent, &memory, held);
        join(other);
        drop(owner.isolate);
        assert_free(manager, lent.id);
    });
}

#[test]
fn what_a_script_has_is_foreign_to_another_isolate_that_frees_it() {
    explore_exactly(2, ["foreign", "over"], || {
        let manager = manager();
        let owner = owner(manager);
        let script = Script::new(&owner.isolate);
        let held = script.take(owner.lent, SIZE).unwrap();
        let other = spawn(move || {
            let isolate = lending(manager);
            let id = Script::new(&isolate).open(Kind::Slab, TOTAL);
            isolate.free_in(id, held.handle, SIZE).unwrap_err().code
        });
        assert!(script.give(owner.lent, held));
        let refused = join(other);
        drop(owner.isolate);
        assert_free(manager, owner.lent.id);
        match refused {
            Code::ForeignBlock => "foreign",
            Code::DoubleFree => "over",
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_isolate_that_ends_between_any_two_stores_while_another_recalls_leaves_nothing_live() {
    for stores in 1..=13 {
        explore(1, move || {
            let (manager, memory) = (manager(), memory());
            let owner = owner(manager);
            let other = spawn(recalls(manager, Arc::clone(&memory)));
            let script = Script::stopped_after(&owner.isolate, stores);
            if let Some(held) = script.take(owner.lent, SIZE) {
                script.give(owner.lent, held); // eight stores and six, when it is not stopped before
            }
            drop(owner.isolate);
            join(other);
            assert_free(manager, owner.lent.id);
        });
    }
}

#[test]
fn an_arena_s_piece_that_a_script_cuts_while_another_isolate_marks_and_rewinds_is_nobody_elses() {
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
                let mark = isolate.mark_in(id).unwrap();
                let taken = isolate.allocate_in(id, SIZE, Label::NONE).unwrap();
                memory.take(taken.offset, SIZE);
                mark
            })
        };
        assert!(piece.home != 0);
        if let Some(cut) = script.cut(script.lent(id, piece.home), SIZE) {
            memory.take(piece.stretch_at + cut, SIZE);
        }
        let mark = join(other);
        let taken = isolate.allocate_in(id, SIZE, Label::NONE).unwrap();
        memory.take(taken.offset, SIZE);
        isolate.rewind_in(id, mark).unwrap();
        let allocator = manager.allocators.get(id).unwrap();
        allocator.check().unwrap();
        let stats = allocator.stats(manager);
        assert_eq!(
            stats.requested,
            SIZE * stats.blocks,
            "what was cut after the mark would still be counted"
        );
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
