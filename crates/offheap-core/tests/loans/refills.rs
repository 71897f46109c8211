//! Slots that are cut in advance, when a request finds its class's magazine empty.

use super::script::{Memory, Region, Script};
use super::{LENDING, MIB, assert_all_free, figures, lending, lent, manager, measures, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::Generation;
use std::collections::BTreeSet;

/// Kinds that cut many slots at once.
const REFILLING: [Kind; 2] = [Kind::Slab, Kind::Hybrid];

/// A region in which one grant of a size was freed, so that its class has a magazine, and was taken again.
fn begun<'a>(isolate: &'a Isolate, kind: Kind, total: u64, size: u64) -> (Script<'a>, Region, Memory) {
    let script = Script::new(isolate);
    let mut region = script.open("refilled", measures(kind, total)).unwrap();
    let memory = script.allocate(&mut region, size).unwrap();
    script.free(&region, memory).unwrap();
    let memory = script.allocate(&mut region, size).unwrap();
    assert_eq!(script.ready(&region, size), 0);
    (script, region, memory)
}

#[test]
fn a_request_that_finds_its_magazine_empty_fills_it() {
    for kind in REFILLING {
        // The most that a class keeps ready, and one less, for the next free.
        for (total, size, ready) in [
            (64 * MIB, 64, 63),
            (64 * MIB, 1024, 63),
            (8 * MIB, 16_384, 7),
            (MIB, 1000, 15),
            (MIB, 16_384, 0),
        ] {
            let isolate = lending(manager());
            let (script, mut region, first) = begun(&isolate, kind, total, size);
            let asked = script.allocate(&mut region, size).unwrap();
            assert_eq!(
                (script.ready(&region, size), lent(isolate.manager())),
                (ready, 1 + ready + usize::from(ready > 0)), // the one before, what lies ready, and what was asked
                "{kind:?} {size}"
            );
            let mut all = vec![first, asked];
            while let Some(memory) = script.take(&region, size) {
                all.push(memory);
            }
            assert_eq!(all.len(), 2 + ready);
            let offsets: Vec<u64> = all.iter().map(|memory| memory.offset).collect();
            assert!(offsets.is_sorted(), "{kind:?} {size}: not in the order of the region, {offsets:?}");
            for (memory, stamp) in all.iter().zip(1..) {
                script.stamp(&region, *memory, stamp);
            }
            assert!(all.iter().zip(1..).all(|(memory, stamp)| script.reads(&region, *memory, stamp)));
            let now = figures(&isolate, region.id);
            assert_eq!((now.blocks, now.requested), (all.len() as u64, all.len() as u64 * size));
            assert_eq!(isolate.manager().rows().len(), all.len());
            all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
            assert_all_free(&isolate, region.id);
            assert_eq!(lent(isolate.manager()), 0);
        }
    }
}

#[test]
fn what_lies_ready_is_free_for_whoever_counts_and_for_every_other_class() {
    for kind in REFILLING {
        let isolate = lending(manager());
        let (script, mut region, first) = begun(&isolate, kind, MIB, 100);
        let second = script.allocate(&mut region, 100).unwrap();
        assert_eq!((lent(isolate.manager()), figures(&isolate, region.id).blocks), (65, 2));
        assert_eq!((stats(&isolate, region.id).held, script.ready(&region, 100)), (2 * 112, 0), "{kind:?}");
        script.allocate(&mut region, 100).unwrap();
        // One span holds all of that; the rest is for the others.
        let others = (0..).map_while(|_| script.allocate(&mut region, 16_384).ok()).count();
        assert_eq!(others, 15 * 4, "{kind:?}");
        script.free(&region, first).and_then(|()| script.free(&region, second)).unwrap();
        isolate.reset_allocator(region.id).unwrap();
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn a_region_with_less_room_gives_what_there_is_and_then_what_lies_ready() {
    for kind in REFILLING {
        let isolate = lending(manager());
        let (script, mut region, first) = begun(&isolate, kind, 64 << 10, 80);
        script.free(&region, first).unwrap();
        let mut records = Vec::new();
        for _ in 0..20 {
            let (mut all, mut offsets) = (Vec::new(), BTreeSet::new());
            let refused = loop {
                match script.allocate(&mut region, 80) {
                    Ok(memory) => all.push(memory),
                    Err(refused) => break refused,
                }
            };
            assert!(all.iter().all(|memory| offsets.insert(memory.offset)), "{kind:?}");
            assert_eq!((refused.code, refused.available, all.len()), (Code::RegionFull, 0, 819), "{kind:?}");
            all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
            records.push(isolate.manager().tracker.used().iter().sum::<usize>());
        }
        assert_eq!(records[1], records[19], "{kind:?}: records are lost");
    }
}

#[test]
fn nothing_is_cut_in_advance_for_who_cannot_take_it() {
    let isolate = lending(manager());
    let label = isolate.manager().tracker.labels.intern("named");
    for kind in LENDING {
        let (script, mut region, _) = begun(&isolate, kind, MIB, 100);
        script.ask(&mut region, 100, label).unwrap(); // a label: it would not be taken from a magazine
        assert_eq!(script.ready(&region, 100), 0, "{kind:?}");
        isolate.manager().set_limit(Some(1 << 40));
        script.ask(&mut region, 100, Label::NONE).unwrap();
        assert_eq!(script.ready(&region, 100), 0, "{kind:?}: nothing is lent while a limit is set");
        isolate.manager().set_limit(None);
        script.ask(&mut region, 100, Label::NONE).unwrap();
        let refills = REFILLING.contains(&kind);
        assert_eq!(script.ready(&region, 100) > 0, refills, "{kind:?}");
        assert_eq!(lent(isolate.manager()), 1 + script.ready(&region, 100) + usize::from(refills));
        isolate.close_allocator(region.id).unwrap();
    }
}

#[test]
fn a_class_of_which_nothing_was_freed_is_not_cut_in_advance() {
    for kind in LENDING {
        let isolate = lending(manager());
        let script = Script::new(&isolate);
        let mut region = script.opened(kind, MIB);
        for size in [16, 100, 1000] {
            (0..10).for_each(|_| assert!(script.ask(&mut region, size, Label::NONE).is_ok()));
        }
        assert_eq!(lent(isolate.manager()), 0, "{kind:?}");
    }
}

#[test]
fn records_near_their_end_are_used_up_and_lent_to_nobody() {
    for kind in REFILLING {
        for lives in [1, 2, 3, 4] {
            let manager = manager();
            let isolate = lending(manager);
            let (script, mut region, first) = begun(&isolate, kind, MIB, 100);
            script.free(&region, first).unwrap();
            isolate.settle_loans(region.id); // its record is the next of the stock
            let generation = Generation(Generation::MAX.0 - 2 * lives);
            manager.tracker.age(first.handle.slot, generation);
            let all: Vec<Memory> = (0..40).map(|_| script.allocate(&mut region, 100).unwrap()).collect();
            assert_eq!(all[0].handle.slot, first.handle.slot);
            let apart: BTreeSet<u64> = all.iter().map(|memory| memory.offset).collect();
            assert_eq!(apart.len(), 40, "{kind:?}");
            for _ in 0..5 {
                let memory = script.allocate(&mut region, 100).unwrap();
                script.free(&region, memory).unwrap();
                isolate.settle_loans(region.id);
            }
            all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
            assert_all_free(&isolate, region.id);
        }
    }
}
