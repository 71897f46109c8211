//! Who recalls what others have ready, while those who have it, or others who want it too, go on.

use super::script::{Script, assert_none_lent, lending, manager};
use offheap_core::alloc::arena::Mark;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::manager::{Isolate, Operand};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;
use offheap_loom::{Memory, explore, join, spawn};
use std::sync::Arc;

const SIZE: u64 = 512;
/// Of such a total two grants of that size lie ready at most.
const TOTAL: u64 = 64 << 10;
/// A piece of an arena is a sixty-fourth of it.
const ARENA: u64 = 256 << 10;

fn open(isolate: &Isolate, name: &str, kind: Kind, total: u64) -> AllocatorId {
    let measures = Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false };
    isolate.open_allocator(name, measures).unwrap()
}

/// Two isolates ask at once for what lies ready in an isolate that does nothing.
fn both_ask(owner: &Isolate, id: AllocatorId, kind: Kind, total: u64) {
    let doors = [(); 2].map(|()| lending(owner.manager()));
    for isolate in &doors {
        Script::new(isolate).open(kind, total);
    }
    let [one, two] = doors;
    let other = spawn(move || (two.allocate_in(id, SIZE, Label::NONE), two));
    let own = one.allocate_in(id, SIZE, Label::NONE).expect("one is for the one");
    let (theirs, _two) = join(other);
    assert_ne!(own.offset, theirs.expect("and one for the other").offset);
}

#[test]
fn two_who_find_a_region_full_at_once_both_get_what_a_third_has_ready() {
    explore(2, || {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let id = script.open(Kind::ObjectPool, TOTAL);
        script.ask(id, TOTAL - 8 * SIZE); // all cells but one
        let all = [(); 8].map(|()| script.ask(id, SIZE).0);
        for held in &all[..2] {
            isolate.free_in(id, held.handle, SIZE).unwrap();
        }
        both_ask(&isolate, id, Kind::ObjectPool, TOTAL);
    });
}

#[test]
fn two_who_find_an_arena_full_at_once_both_get_what_a_third_has_not_cut() {
    explore(2, || {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let id = script.open(Kind::Arena, ARENA);
        script.ask(id, ARENA - ARENA / 64 - SIZE);
        assert!(script.ask(id, SIZE).1.is_some(), "all that is left");
        both_ask(&isolate, id, Kind::Arena, ARENA);
    });
}

#[test]
fn who_is_late_for_a_closed_arena_recalls_nothing_of_the_next_one_on_its_ground() {
    explore(2, || {
        let manager = manager();
        let memory = Arc::new(Memory::new(32 * SIZE, SIZE)); // all of it lies in the first piece and behind it
        let (one, two) = (lending(manager), lending(manager));
        let (id, other) = (open(&one, "first", Kind::Arena, ARENA), open(&two, "other", Kind::Ring, TOTAL));
        open(&two, "first", Kind::Arena, ARENA);
        let thread = {
            let memory = Arc::clone(&memory);
            spawn(move || {
                // So the next one has the other's number.
                two.close_allocator(id).unwrap();
                two.close_allocator(other).unwrap();
                let next = open(&two, "next", Kind::Arena, ARENA);
                let script = Script::new(&two);
                let piece = two.allocate_in(next, SIZE, Label::NONE).unwrap();
                memory.take(piece.offset, SIZE);
                if let Some(cut) = script.cut(script.lent(next, piece.home), SIZE) {
                    memory.take(piece.stretch_at + cut, SIZE);
                }
                two
            })
        };
        let _ = one.mark_in(id);
        let _two = join(thread);
        let next = open(&one, "next", Kind::Arena, ARENA);
        memory.take(one.allocate_in(next, SIZE, Label::NONE).unwrap().offset, SIZE);
    });
}

#[test]
fn what_a_script_has_is_live_for_it_while_another_isolate_recalls_it() {
    explore(2, || {
        let manager = manager();
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Slab, TOTAL);
        for held in [(); 2].map(|()| script.ask(id, SIZE).0) {
            isolate.free_in(id, held.handle, SIZE).unwrap();
        }
        let held = script.take(script.ask(id, SIZE).1.unwrap(), SIZE).unwrap();
        let other = spawn(move || {
            let isolate = lending(manager);
            Script::new(&isolate).open(Kind::Slab, TOTAL);
            isolate.settle_loans(id);
        });
        let _isolate = join(spawn(move || {
            assert!(Script::new(&isolate).is_live(held));
            isolate
        }));
        join(other);
    });
}

#[test]
fn a_region_that_begins_while_another_isolate_resets_is_of_one_moment() {
    explore(2, || {
        let manager = manager();
        let isolate = lending(manager);
        let id = Script::new(&isolate).open(Kind::Slab, TOTAL);
        let other = spawn(move || {
            let isolate = lending(manager);
            Script::new(&isolate).open(Kind::Slab, TOTAL);
            isolate.reset_allocator(id).unwrap();
        });
        let (isolate, turn, resets) = join(spawn(move || {
            let (turn, resets) = Script::new(&isolate).begin(id);
            (isolate, turn, resets)
        }));
        join(other);
        let now = Script::new(&isolate).begin(id);
        assert!(turn != now.0 || resets == now.1, "it would seem to be current, and is over");
    });
}

#[test]
fn an_only_user_s_script_and_native_calls_go_on_beside_statistics_of_who_does_not_use_it() {
    explore(2, || {
        let (manager, memory) = (manager(), Arc::new(Memory::new(32 * SIZE, SIZE)));
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(Kind::Slab, TOTAL);
        for held in [(); 2].map(|()| script.ask(id, SIZE).0) {
            isolate.free_in(id, held.handle, SIZE).unwrap();
        }
        let (held, lent) = script.ask(id, SIZE);
        memory.take(held.offset, SIZE);
        let other = spawn(move || {
            let isolate = lending(manager);
            isolate.settle_loans(id);
            manager.allocators.get(id).unwrap().stats(manager)
        });
        let next = script.take(lent.unwrap(), SIZE).unwrap_or_else(|| script.ask(id, SIZE).0);
        memory.take(next.offset, SIZE);
        memory.leave(held.offset, SIZE);
        if !script.give(lent.unwrap(), held) {
            isolate.free_in(id, held.handle, SIZE).unwrap();
        }
        let stats = join(other);
        assert!(stats.held <= 2 * SIZE && stats.blocks <= 2, "{stats:?}");
        memory.leave(next.offset, SIZE);
        isolate.free_in(id, next.handle, SIZE).unwrap();
        isolate.settle_loans(id);
        let allocator = manager.allocators.get(id).unwrap();
        allocator.check().unwrap();
        let stats = allocator.stats(manager);
        assert_eq!((stats.blocks, stats.requested, stats.held), (0, 0, 0));
        drop(isolate);
        assert_none_lent(manager);
    });
}

/// An operation on a grant, while another isolate ends it and is granted the same memory.
fn operation_beside_an_end(
    kind: Kind,
    is_taken_by_script: bool,
    end: impl Fn(&Isolate, AllocatorId, Mark) + Copy + Send + Sync + 'static,
) {
    explore(2, move || {
        let manager = manager();
        let memory = Arc::new(Memory::new(TOTAL, SIZE));
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let id = script.open(kind, TOTAL);
        let mark =
            if kind == Kind::Arena { isolate.mark_in(id).unwrap() } else { Mark { level: 0, serial: 0 } };
        let (mut held, _) = script.ask(id, SIZE);
        if is_taken_by_script {
            isolate.free_in(id, held.handle, SIZE).unwrap();
            let second = script.ask(id, SIZE).0;
            isolate.free_in(id, second.handle, SIZE).unwrap();
            let (third, lent) = script.ask(id, SIZE);
            held = lent.and_then(|lent| script.take(lent, SIZE)).unwrap_or(third);
        }
        let theirs = Arc::clone(&memory);
        let other = spawn(move || {
            let isolate = lending(manager);
            Script::new(&isolate).open(kind, TOTAL);
            end(&isolate, id, mark);
            for next in [(); 2].map(|()| isolate.allocate_in(id, SIZE, Label::NONE).unwrap()) {
                theirs.take(next.offset, SIZE);
                theirs.leave(next.offset, SIZE);
            }
            isolate
        });
        let _isolate = join(spawn(move || {
            let operand = match kind {
                Kind::Arena => Operand::Granted(id.number, held.handle.into()),
                _ => Operand::Recorded(held.handle),
            };
            let operation = isolate.operate([operand; 2]);
            if isolate.operand_bytes(operand, 0, SIZE).is_ok() {
                memory.take(held.offset, SIZE);
                memory.leave(held.offset, SIZE);
            }
            drop(operation);
            isolate
        }));
        join(other);
    });
}

#[test]
fn what_an_operation_found_live_is_no_next_owner_s_before_it_is_over() {
    operation_beside_an_end(Kind::Slab, false, |isolate, id, _| isolate.reset_allocator(id).unwrap());
}

#[test]
fn what_an_operation_found_live_that_a_script_took_is_no_next_owner_s_before_it_is_over() {
    operation_beside_an_end(Kind::Slab, true, |isolate, id, _| isolate.reset_allocator(id).unwrap());
}

#[test]
fn what_an_operation_found_live_in_an_arena_is_no_next_owner_s_before_it_is_over() {
    operation_beside_an_end(Kind::Arena, false, |isolate, id, _| isolate.reset_allocator(id).unwrap());
}

#[test]
fn what_an_operation_found_live_in_an_arena_is_no_next_owner_s_after_a_rewind_before_it_is_over() {
    operation_beside_an_end(Kind::Arena, false, |isolate, id, mark| isolate.rewind_in(id, mark).unwrap());
}
