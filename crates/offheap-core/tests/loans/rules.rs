//! What is lent and when, and what makes a record speak again.

use super::script::{Memory, Region, SLOTS, Script};
use super::{LENDING, MIB, assert_all_free, code, figures, lending, lent, manager, measures, stats};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{Generation, Handle, Owner, State};

pub const SIZE: u64 = 1000;
const KIB: u64 = 1 << 10;

/// So many grants.
fn allocate(script: &Script<'_>, region: &mut Region, count: usize, size: u64) -> Vec<Memory> {
    (0..count).map(|_| script.allocate(region, size).unwrap()).collect()
}

/// An isolate's region of a kind in which so many grants lie ready.
pub fn warm<'a>(isolate: &'a Isolate, kind: Kind, count: usize) -> (Script<'a>, Region) {
    let script = Script::new(isolate);
    let mut region = script.opened(kind, MIB);
    for memory in allocate(&script, &mut region, count, SIZE) {
        script.free(&region, memory).unwrap();
    }
    // The native side tells where they lie with the next grant.
    let memory = script.allocate(&mut region, SIZE).unwrap();
    script.free(&region, memory).unwrap();
    assert_eq!(script.ready(&region, SIZE), count);
    (script, region)
}

#[test]
fn what_was_freed_is_taken_again_without_a_call_under_a_handle_of_its_own() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, region) = warm(&isolate, kind, 3);
        let (mut taken, before) = (Vec::new(), figures(&isolate, region.id));
        for count in 1..=3 {
            let memory = script.take(&region, SIZE).unwrap();
            script.stamp(&region, memory, count);
            taken.push(memory);
            let now = figures(&isolate, region.id);
            assert_eq!((now.blocks, now.requested), (u64::from(count), u64::from(count) * SIZE), "{kind:?}");
            assert_eq!(now.held, before.held, "what lies ready is held");
        }
        assert_eq!(script.take(&region, SIZE), None);
        assert!((1..).zip(&taken).all(|(value, memory)| script.reads(&region, *memory, value)));
        for memory in taken {
            assert!(script.is_live(&region, memory) && script.give(&region, memory), "{kind:?}");
            assert!(!script.is_live(&region, memory) && !script.give(&region, memory));
            assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree);
            assert_eq!(code(isolate.pin_in(region.id, memory.handle)), Code::UseAfterFree);
        }
        assert_all_free(&isolate, region.id);
        assert_eq!(lent(isolate.manager()), 0, "{kind:?}");
    }
}

#[test]
fn a_lent_grant_has_the_row_of_any_other() {
    let isolate = lending(manager());
    let (script, region) = warm(&isolate, Kind::Buddy, 1);
    let memory = script.take(&region, SIZE).unwrap();
    let rows = isolate.manager().rows();
    let [info] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((info.row.handle, info.row.extent.size, info.row.extent.label), (memory.handle, SIZE, 0));
    assert_eq!((info.row.owner, info.row.pins), (Owner::grant(isolate.number()), 0));
    assert_eq!((info.actual_size, info.allocator), (1024, Some(region.id.number)));
    assert_eq!(info.row.place.offset_bytes(), memory.offset);
    assert!(script.give(&region, memory));
    assert!(isolate.manager().rows().is_empty());
}

#[test]
fn neither_arenas_nor_rings_that_overwrite_lend_what_was_freed() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    for kind in [Kind::Ring, Kind::Arena] {
        let wanted = Measures { overwrite: kind == Kind::Ring, ..measures(kind, MIB) };
        let mut region = script.open("lends nothing", wanted).unwrap();
        for memory in allocate(&script, &mut region, 50, SIZE) {
            assert!(!script.give(&region, memory), "{kind:?}");
            script.hand_back(&region, memory).unwrap();
        }
        assert_eq!(script.ready(&region, SIZE), 0);
        assert_eq!(lent(isolate.manager()), 0, "{kind:?}");
        isolate.close_allocator(region.id).unwrap();
    }
}

#[test]
fn what_no_class_served_is_not_lent() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let mut region = script.opened(Kind::Hybrid, MIB);
    // All that is left is less than a span, so a small request is cut as it comes.
    let largest = script.ask(&mut region, MIB - 32 * KIB, Label::NONE).unwrap();
    let small = script.ask(&mut region, SIZE, Label::NONE).unwrap();
    script.hand_back(&region, small).unwrap();
    assert_eq!(lent(isolate.manager()), 0);
    script.hand_back(&region, largest).unwrap();
    let small = script.ask(&mut region, SIZE, Label::NONE).unwrap();
    script.hand_back(&region, small).unwrap();
    assert_eq!(lent(isolate.manager()), 1, "a span has room now");
    assert_all_free(&isolate, region.id);
}

#[test]
fn nothing_is_lent_to_an_isolate_whose_script_does_not_take_part() {
    let isolate = Isolate::open(manager(), None).unwrap();
    let script = Script::new(&isolate);
    for kind in LENDING.into_iter().chain([Kind::Arena]) {
        let mut region = script.opened(kind, MIB);
        for memory in allocate(&script, &mut region, 5, SIZE) {
            script.hand_back(&region, memory).unwrap();
        }
        let taken = isolate.allocate_in(region.id, SIZE, Label::NONE).unwrap();
        assert_eq!((lent(isolate.manager()), taken.home, taken.stretch_at), (0, 0, 0), "{kind:?}");
    }
}

#[test]
fn a_class_keeps_at_most_a_64th_of_the_region_and_64_grants() {
    for (size, most) in [(16, 64), (1024, 16), (16 * KIB, 1), (16 * KIB + 1, 0)] {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let mut region = script.opened(Kind::Buddy, MIB);
        let mut all = allocate(&script, &mut region, (2 * most).clamp(4, 100), size);
        for memory in all.drain(..) {
            script.hand_back(&region, memory).unwrap();
            assert!(lent(isolate.manager()) <= most, "{size}");
        }
        assert!(lent(isolate.manager()) >= most.div_ceil(2), "{size}");
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn a_full_magazine_gives_its_older_half_back() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let mut region = script.opened(Kind::Slab, MIB);
    let all = allocate(&script, &mut region, 33, 512);
    let before = figures(&isolate, region.id).held;
    for memory in &all[..32] {
        script.hand_back(&region, *memory).unwrap();
    }
    assert_eq!((lent(isolate.manager()), figures(&isolate, region.id).held), (32, before), "full");
    script.hand_back(&region, all[32]).unwrap();
    assert_eq!(lent(isolate.manager()), 17);
    assert!(figures(&isolate, region.id).held < before);
    let again = script.ask(&mut region, 512, Label::NONE).unwrap();
    assert_eq!(again.offset, all[32].offset, "the newest is the next");
    // Taken by the script and freed when it is full again: the native side makes room.
    let taken: Vec<Memory> = (0..16).map(|_| script.take(&region, 512).unwrap()).collect();
    for memory in allocate(&script, &mut region, 32, 512) {
        script.free(&region, memory).unwrap();
    }
    assert!(taken.iter().all(|memory| script.free(&region, *memory).is_ok()));
    script.free(&region, again).unwrap();
    assert!(lent(isolate.manager()) <= 32);
    assert_all_free(&isolate, region.id);
}

#[test]
fn sizes_that_no_script_takes_share_classes_with_smaller_ones_and_are_not_lent() {
    for kind in [Kind::Buddy, Kind::ObjectPool] {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let mut region = script.opened(kind, 16 * MIB);
        let [small, large] = [0x7fff, 0x8000].map(|size| script.ask(&mut region, size, Label::NONE).unwrap());
        script.hand_back(&region, large).unwrap();
        assert_eq!(lent(isolate.manager()), 0, "{kind:?}: nobody would take it");
        script.hand_back(&region, small).unwrap();
        let again = script.ask(&mut region, 0x8000, Label::NONE).unwrap();
        let now = figures(&isolate, region.id);
        assert_eq!((now.blocks, now.requested), (1, 0x8000), "{kind:?}");
        script.hand_back(&region, again).unwrap();
        assert_eq!(code(script.hand_back(&region, again)), Code::DoubleFree);
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn while_the_clock_stands_or_a_limit_is_set_the_native_side_serves_the_same_grants() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, mut region) = warm(&isolate, kind, 4);
        script.stand();
        assert_eq!(script.take(&region, SIZE), None);
        let first = script.allocate(&mut region, SIZE).unwrap();
        assert_eq!((lent(isolate.manager()), script.word(word::CLOCK) != 0), (4, true), "{kind:?}");
        isolate.manager().set_limit(Some(100 * MIB));
        assert!(!script.give(&region, first));
        let second = script.allocate(&mut region, SIZE).unwrap();
        assert_eq!((script.ready(&region, SIZE), lent(isolate.manager())), (2, 3), "{kind:?}");
        for memory in [first, second] {
            script.free(&region, memory).unwrap();
            assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree);
        }
        assert_eq!((lent(isolate.manager()), figures(&isolate, region.id).blocks), (2, 0), "{kind:?}");
        isolate.manager().set_limit(None);
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn a_label_makes_the_record_speak_and_is_not_kept_by_the_next_owner() {
    let isolate = lending(manager());
    let label = isolate.manager().tracker.labels.intern("frames");
    for kind in LENDING {
        let (script, mut region) = warm(&isolate, kind, 2);
        let memory = script.ask(&mut region, SIZE, label).unwrap();
        assert_eq!((script.ready(&region, SIZE), lent(isolate.manager())), (1, 1), "{kind:?}");
        let row = isolate.manager().tracker.shared_row(memory.handle.slot).unwrap();
        assert_eq!((row.handle, row.extent.label, row.extent.size), (memory.handle, label.0, SIZE));
        script.free(&region, memory).unwrap();
        let again = script.take(&region, SIZE).unwrap();
        assert_eq!(again.offset, memory.offset);
        let row = isolate.manager().tracker.shared_row(again.handle.slot).unwrap();
        assert_eq!((row.handle, row.extent.label), (again.handle, 0));
        script.free(&region, again).unwrap();
        isolate.close_allocator(region.id).unwrap();
    }
}

#[test]
fn a_pinned_grant_is_lent_no_more_and_nobody_else_s() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, region) = warm(&isolate, kind, 2);
        let memory = script.take(&region, SIZE).unwrap();
        assert_eq!(code(isolate.unpin_in(region.id, memory.handle)), Code::Corrupted, "it has no pin");
        isolate.pin_in(region.id, memory.handle).unwrap();
        assert_eq!(lent(isolate.manager()), 1, "{kind:?}");
        assert!(script.is_live(&region, memory) && !script.give(&region, memory));
        assert_eq!(code(script.hand_back(&region, memory)), Code::InUse);
        let now = figures(&isolate, region.id);
        assert_eq!((now.blocks, now.requested), (1, SIZE), "{kind:?}");
        isolate.unpin_in(region.id, memory.handle).unwrap();
        script.free(&region, memory).unwrap();
        assert_eq!((lent(isolate.manager()), code(script.hand_back(&region, memory))), (2, Code::DoubleFree));
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn what_was_pinned_and_freed_while_nothing_may_be_lent_is_dead_for_its_script() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, region) = warm(&isolate, kind, 1);
        let memory = script.take(&region, SIZE).unwrap();
        isolate.pin_in(region.id, memory.handle).unwrap();
        isolate.unpin_in(region.id, memory.handle).unwrap();
        isolate.manager().set_limit(Some(100 * MIB));
        assert!(script.is_live(&region, memory));
        script.free(&region, memory).unwrap();
        assert!(!script.is_live(&region, memory), "{kind:?}");
    }
}

#[test]
fn a_slot_that_somebody_has_is_nobody_else_s_though_a_script_put_it_into_its_magazine() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, mut region) = warm(&isolate, kind, 3);
        let memory = script.take(&region, SIZE).unwrap();
        let home = script.home(&region, SIZE);
        for stands in [false, true] {
            isolate.table.set_word(home + SLOTS, memory.handle.slot.0.cast_signed());
            isolate.table.set_word(home, 1);
            if stands {
                script.stand();
                let other = script.ask(&mut region, SIZE, Label::NONE).unwrap();
                assert_ne!(other.offset, memory.offset, "{kind:?}");
            } else {
                isolate.settle_loans(region.id);
            }
            assert!(script.is_live(&region, memory), "{kind:?}");
        }
        isolate.manager().tracker.check().unwrap();
    }
}

#[test]
fn a_lent_grant_is_foreign_to_every_other_owner() {
    let isolate = lending(manager());
    for kind in LENDING {
        let (script, region) = warm(&isolate, kind, 1);
        let other = script.open("other", measures(kind, MIB)).unwrap();
        let memory = script.take(&region, SIZE).unwrap();
        assert_eq!(code(script.hand_back(&other, memory)), Code::ForeignBlock, "{kind:?}");
        assert_eq!(code(isolate.pin_in(other.id, memory.handle)), Code::ForeignBlock);
        assert_eq!(code(isolate.free(memory.handle)), Code::ForeignBlock);
        assert_eq!(code(isolate.free_any(memory.handle)), Code::ForeignBlock);
        assert!(script.is_live(&region, memory) && script.give(&region, memory));
        isolate.close_allocator(region.id).unwrap();
        isolate.close_allocator(other.id).unwrap();
    }
}

#[test]
fn a_record_in_its_last_life_is_not_lent_and_its_memory_goes_on_under_another() {
    for kind in LENDING {
        let manager = manager();
        let isolate = lending(manager);
        let script = Script::new(&isolate);
        let mut region = script.opened(kind, MIB);
        let memory = script.ask(&mut region, SIZE, Label::NONE).unwrap();
        script.hand_back(&region, memory).unwrap();
        isolate.settle_loans(region.id); // the record is the next of the stock
        manager.tracker.age(memory.handle.slot, Generation(Generation::MAX.0 - 4));
        let memory = script.ask(&mut region, SIZE, Label::NONE).unwrap();
        script.hand_back(&region, memory).unwrap();
        script.ask(&mut region, SIZE, Label::NONE).unwrap();
        let last = memory.handle.generation.0 + 2;
        assert_eq!(last, Generation::MAX.0 - 1);
        let handle = Handle { generation: Generation(last), ..memory.handle };
        let last = Memory { handle, ..memory };
        assert!(script.give(&region, last));
        assert!(script.ready(&region, SIZE) > 0 && script.take(&region, SIZE).is_none(), "{kind:?}");
        let next = script.allocate(&mut region, SIZE).unwrap();
        assert_ne!(next.handle.slot, memory.handle.slot, "{kind:?}");
        script.free(&region, next).unwrap();
        assert_all_free(&isolate, region.id);
        // And natively, for what has a label is not taken from a magazine.
        let label = manager.tracker.labels.intern("named");
        let memory = script.ask(&mut region, SIZE, label).unwrap();
        script.hand_back(&region, memory).unwrap();
        isolate.settle_loans(region.id);
        manager.tracker.age(memory.handle.slot, Generation(Generation::MAX.0 - 2));
        let memory = script.ask(&mut region, SIZE, label).unwrap();
        assert_eq!(memory.handle.generation.0, Generation::MAX.0 - 1);
        script.hand_back(&region, memory).unwrap();
        let spent = manager.tracker.shared(memory.handle.slot).unwrap().state();
        assert!(!spent.has(State::LENT), "{kind:?}");
        assert_all_free(&isolate, region.id);
    }
}

/// Fills a region with grants of a size, and tells what the last request got.
fn fill_up(script: &Script<'_>, region: &mut Region, size: u64) -> (Vec<Memory>, Error) {
    let mut all = Vec::new();
    loop {
        match script.allocate(region, size) {
            Ok(memory) => all.push(memory),
            Err(refused) => return (all, refused),
        }
    }
}

#[test]
fn what_lies_ready_is_granted_to_another_class_before_the_region_is_full() {
    for kind in LENDING {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let mut region = script.opened(kind, MIB);
        for size in [3000, 700] {
            let room =
                fill_up(&script, &mut script.open("fresh", measures(kind, MIB)).unwrap(), size).0.len();
            for size in [16, 100, SIZE, 5000, 16_000] {
                for memory in allocate(&script, &mut region, 10, size) {
                    script.free(&region, memory).unwrap();
                }
            }
            assert!(lent(isolate.manager()) > 0);
            let (all, refused) = fill_up(&script, &mut region, size);
            assert_eq!((all.len(), refused.code), (room, Code::RegionFull), "{kind:?}");
            assert!(refused.available < size, "{kind:?}");
            assert_eq!(refused.available, stats(&isolate, region.id).largest_free);
            all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
            assert_all_free(&isolate, region.id);
            let fresh = script.open("fresh", measures(kind, MIB)).unwrap();
            isolate.close_allocator(fresh.id).unwrap();
        }
    }
}

#[test]
fn a_trim_and_the_asking_for_figures_take_back_what_lies_ready() {
    for kind in LENDING {
        let isolate = lending(manager());
        let (script, mut region) = warm(&isolate, kind, 8);
        let kept = script.take(&region, SIZE).unwrap();
        script.stamp(&region, kept, 9);
        isolate.trim_allocator(region.id).unwrap();
        assert_eq!((lent(isolate.manager()), script.ready(&region, SIZE)), (1, 0), "{kind:?}");
        assert!(script.reads(&region, kept, 9) && script.give(&region, kept));
        assert_eq!((script.ready(&region, SIZE), figures(&isolate, region.id).held > 0), (1, true));
        assert_all_free(&isolate, region.id);
        assert!(script.allocate(&mut region, SIZE).is_ok(), "{kind:?}");
    }
}
