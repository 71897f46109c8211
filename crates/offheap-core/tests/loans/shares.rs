//! Another isolate that comes, resets, closes, and what is left of loans then.

use super::script::{Memory, Region, SLOTS, Script};
use super::{LENDING, MIB, assert_all_free, code, figures, lending, lent, manager, measures, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{Handle, Owner};
use std::thread;
use std::time::{Duration, Instant};

const SIZE: u64 = 1000;

/// A region of a kind in which so many grants lie ready.
fn warm(isolate: &Isolate, name: &str, kind: Kind, count: usize) -> Region {
    let script = Script::new(isolate);
    let mut region = script.open(name, measures(kind, MIB)).unwrap();
    let all: Vec<Memory> = (0..count).map(|_| script.ask(&mut region, SIZE, Label::NONE).unwrap()).collect();
    for memory in all {
        script.free(&region, memory).unwrap();
    }
    let memory = script.allocate(&mut region, SIZE).unwrap();
    script.free(&region, memory).unwrap();
    assert_eq!(script.ready(&region, SIZE), count);
    region
}

#[test]
fn each_isolate_has_magazines_of_its_own() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let (script, other) = (Script::new(&one), Script::new(&two));
        let region = warm(&one, "shared", kind, 4);
        let kept = script.take(&region, SIZE).unwrap();
        let theirs = warm(&two, "shared", kind, 3);
        assert!(script.is_unchanged(&region), "{kind:?}: a second one ends nothing of the first");
        assert_eq!((script.ready(&region, SIZE), other.ready(&theirs, SIZE), lent(manager)), (3, 3, 7));
        let mine: Vec<Memory> = (0..3).map(|_| script.take(&region, SIZE).unwrap()).collect();
        let others: Vec<Memory> = (0..3).map(|_| other.take(&theirs, SIZE).unwrap()).collect();
        assert!(mine.iter().all(|memory| !others.iter().any(|other| other.offset == memory.offset)));
        for isolate in [&one, &two] {
            let now = figures(isolate, region.id);
            assert_eq!((now.blocks, now.requested), (7, 7 * SIZE), "{kind:?}");
        }
        let owners =
            [(&script, &region, &mine, &other, &theirs), (&other, &theirs, &others, &script, &region)];
        for (own, owns, memories, foreign, sees) in owners {
            for memory in memories {
                assert!(!foreign.give(sees, *memory), "{kind:?}: another isolate's");
                assert!(own.give(owns, *memory), "{kind:?}");
            }
        }
        drop(two);
        assert_eq!((lent(manager), script.is_unchanged(&region)), (4, true), "{kind:?}");
        assert!(script.give(&region, kept));
        assert_all_free(&one, region.id);
    }
}

/// Grants of a size until there is no room for another.
fn fill(script: &Script<'_>, region: &mut Region) -> Vec<Memory> {
    let mut all = Vec::new();
    loop {
        match script.allocate(region, SIZE) {
            Ok(memory) => all.push(memory),
            Err(full) => {
                assert_eq!(full.code, Code::RegionFull);
                return all;
            }
        }
    }
}

#[test]
fn a_request_that_finds_the_region_full_takes_what_others_have_ready() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let (script, other) = (Script::new(&one), Script::new(&two));
        let mut theirs = other.open("full", measures(kind, MIB)).unwrap();
        let all = fill(&other, &mut theirs);
        let room = all.len();
        all.into_iter().for_each(|memory| other.free(&theirs, memory).unwrap());
        two.reset_allocator(theirs.id).unwrap();
        theirs = other.again(&theirs);
        let mut region = warm(&one, "full", kind, 16);
        let kept = script.take(&region, SIZE).unwrap();
        script.stamp(&region, kept, 7);
        let began = Instant::now();
        let all = fill(&other, &mut theirs);
        assert_eq!((all.len() + 1, lent(manager)), (room, 0), "{kind:?}");
        assert_eq!((script.take(&region, SIZE), script.give(&region, kept)), (None, false));
        assert!(script.is_live(&region, kept) && script.reads(&region, kept, 7), "{kind:?}");
        // For a while nothing is lent, or the next such request would find it again where it cannot have it.
        all.into_iter().for_each(|memory| other.free(&theirs, memory).unwrap());
        script.free(&region, kept).unwrap();
        let memory = script.allocate(&mut region, SIZE).unwrap();
        script.free(&region, memory).unwrap();
        assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree);
        let is_soon = began.elapsed() < Duration::from_millis(90); // on a busy machine it may not be
        assert!(!is_soon || lent(manager) == 0, "{kind:?}");
        thread::sleep(Duration::from_millis(120));
        let memory = script.allocate(&mut region, SIZE).unwrap();
        script.free(&region, memory).unwrap();
        assert!(lent(manager) > 0, "{kind:?}: then it lends again");
        assert_all_free(&one, region.id);
    }
}

#[test]
fn what_was_recalled_is_lent_anew_in_another_turn() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let script = Script::new(&one);
        let mut region = warm(&one, "turns", kind, 4);
        for round in 0..50 {
            let kept = script.allocate(&mut region, SIZE).unwrap();
            Script::new(&two).open("turns", measures(kind, MIB)).unwrap();
            one.pin_in(region.id, kept.handle).unwrap();
            assert_eq!(code(two.reset_allocator(region.id)), Code::InUse, "it recalls, and is refused");
            one.unpin_in(region.id, kept.handle).unwrap();
            assert!(!script.is_unchanged(&region) && script.take(&region, SIZE).is_none(), "{kind:?}");
            script.free(&region, kept).unwrap();
            let memory = script.allocate(&mut region, SIZE).unwrap();
            assert!(script.is_unchanged(&region), "{kind:?}, {round}");
            script.free(&region, memory).unwrap();
            assert!(script.ready(&region, SIZE) > 0, "{kind:?}, {round}");
        }
        assert_all_free(&one, region.id);
    }
}

#[test]
fn another_isolate_s_reset_ends_what_is_lent_and_what_the_script_has() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let script = Script::new(&one);
        let mut region = warm(&one, "reset", kind, 4);
        let [kept, pinned] = [(); 2].map(|()| script.take(&region, SIZE).unwrap());
        Script::new(&two).open("reset", measures(kind, MIB)).unwrap();
        one.pin_in(region.id, pinned.handle).unwrap();
        assert_eq!(code(two.reset_allocator(region.id)), Code::InUse);
        assert!(script.is_live(&region, kept) && script.is_current(&region), "{kind:?}: refused as a whole");
        assert_eq!(figures(&two, region.id).blocks, 2);
        one.unpin_in(region.id, pinned.handle).unwrap();
        two.reset_allocator(region.id).unwrap();
        assert!(!script.is_current(&region) && !script.is_live(&region, kept), "{kind:?}");
        assert_eq!(lent(manager), 0);
        assert_all_free(&two, region.id);
        for memory in [kept, pinned] {
            assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree, "{kind:?}");
            assert_eq!(code(one.pin_in(region.id, memory.handle)), Code::UseAfterFree);
        }
        region = script.again(&region);
        let memory = script.allocate(&mut region, SIZE).unwrap();
        assert_ne!(memory.handle, kept.handle);
        script.free(&region, memory).unwrap();
        assert_all_free(&one, region.id);
    }
}

#[test]
fn hits_of_a_script_are_not_forgotten_when_another_isolate_resets() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let script = Script::new(&one);
    let region = warm(&one, "hits", Kind::ObjectPool, 2);
    let taken = script.take(&region, SIZE).unwrap();
    let hits = |isolate: &Isolate| (figures(isolate, region.id).hits, figures(isolate, region.id).misses);
    let before = hits(&two);
    assert_eq!(before.0 + before.1, 4);
    Script::new(&two).open("hits", measures(Kind::ObjectPool, MIB)).unwrap();
    two.reset_allocator(region.id).unwrap();
    assert_eq!(hits(&two), before);
    assert!(!script.is_live(&region, taken));
    drop(one);
    assert_eq!(hits(&two), before, "and not counted again by the end of its isolate");
}

/// Gives another isolate's records of a reset back to all, so that the next grants of anybody get them.
fn give_records(manager: &'static offheap_core::manager::Manager, name: &str, kind: Kind) {
    let other = lending(manager);
    let theirs = Script::new(&other).open(name, measures(kind, MIB)).unwrap();
    other.reset_allocator(theirs.id).unwrap();
}

#[test]
fn a_magazine_that_was_taken_over_names_no_grant_of_another_allocator() {
    for kind in LENDING {
        let manager = manager();
        let one = lending(manager);
        let script = Script::new(&one);
        let mut first = warm(&one, "first", kind, 16);
        give_records(manager, "first", kind);
        let home = script.home(&first, SIZE); // where its script still finds 16 slots
        let taken_over: Vec<i32> = (0..16).map(|index| script.word(home + SLOTS + index)).collect();
        let mut second = script.open("second", measures(kind, MIB)).unwrap();
        let mut all: Vec<Memory> =
            (0..300).map(|_| script.ask(&mut second, SIZE, Label::NONE).unwrap()).collect();
        all.sort_by_key(|memory| taken_over.contains(&memory.handle.slot.0.cast_signed())); // those are lent then
        for memory in &all {
            script.free(&second, *memory).unwrap();
        }
        let memory = script.allocate(&mut second, SIZE).unwrap();
        script.free(&second, memory).unwrap();
        let ready = script.ready(&second, SIZE);
        assert!(ready > 0);
        first = script.again(&first);
        let memory = script.allocate(&mut first, SIZE).unwrap();
        assert_eq!((script.ready(&second, SIZE), lent(manager)), (ready, ready), "{kind:?}");
        script.free(&first, memory).unwrap();
        assert_all_free(&one, first.id);
        assert_all_free(&one, second.id);
    }
}

#[test]
fn an_allocator_that_another_isolate_closed_and_opened_again_has_nothing_of_the_old_one() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let (script, other) = (Script::new(&one), Script::new(&two));
        let mut region = warm(&one, "again", kind, 4);
        let kept = script.take(&region, SIZE).unwrap();
        let theirs = other.open("again", measures(kind, MIB)).unwrap();
        two.close_allocator(theirs.id).unwrap();
        assert_eq!((lent(manager), script.is_current(&region)), (0, false), "{kind:?}");
        let mut theirs = other.open("again", measures(kind, MIB)).unwrap();
        assert_eq!((theirs.id.number, script.is_unchanged(&region)), (region.id.number, false), "{kind:?}");
        let new = other.allocate(&mut theirs, SIZE).unwrap();
        other.stamp(&theirs, new, 5);
        assert_eq!((script.take(&region, SIZE), script.give(&region, kept)), (None, false));
        assert_eq!(code(script.hand_back(&region, kept)), Code::Closed, "{kind:?}");
        assert_eq!(code(script.allocate(&mut region, SIZE)), Code::Closed);
        other.free(&theirs, new).unwrap();
        assert_eq!(lent(manager), 1, "{kind:?}: the new one lends to its own isolate");
        let mut mine = script.open("again", measures(kind, MIB)).unwrap();
        let memory = script.allocate(&mut mine, SIZE).unwrap();
        script.free(&mine, memory).unwrap();
        assert_eq!(lent(manager), 2, "{kind:?}: and to the other");
        two.settle_loans(theirs.id);
        assert_all_free(&one, mine.id);
    }
}

#[test]
fn an_isolate_s_end_leaves_a_closed_allocator_s_region_to_the_one_that_has_it_now() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let (script, other) = (Script::new(&one), Script::new(&two));
        let closed = warm(&one, "closed", kind, 4);
        other.open("closed", measures(kind, MIB)).unwrap();
        two.close_allocator(closed.id).unwrap();
        other.open("number", measures(kind, 2 * MIB)).unwrap(); // takes the number
        let mut next = script.open("next", measures(kind, MIB)).unwrap();
        assert_ne!(next.id.number, closed.id.number);
        for count in 1..=3 {
            let all: Vec<Memory> = (0..count).map(|_| script.allocate(&mut next, SIZE).unwrap()).collect();
            all.iter().for_each(|memory| script.free(&next, *memory).unwrap());
        }
        script.take(&next, SIZE).unwrap();
        drop(one);
        assert_eq!(lent(manager), 0, "{kind:?}");
        let mut theirs = other.open("next", measures(kind, MIB)).unwrap();
        assert_all_free(&two, theirs.id);
        other.allocate(&mut theirs, SIZE).unwrap();
        assert_eq!((stats(&two, theirs.id).blocks, stats(&two, theirs.id).requested), (1, SIZE), "{kind:?}");
    }
}

/// A region with a pinned grant, and whether its pin refuses what `end` does to it.
fn refused(isolate: &Isolate, region: &Region, pinned: Handle, closes: bool) {
    isolate.pin_in(region.id, pinned).unwrap();
    let ended = if closes { isolate.close_allocator(region.id) } else { isolate.reset_allocator(region.id) };
    assert_eq!(code(ended), Code::InUse);
    isolate.unpin_in(region.id, pinned).unwrap();
}

#[test]
fn a_refused_reset_or_close_leaves_the_script_its_memory_and_new_magazines() {
    for kind in LENDING {
        for closes in [false, true] {
            let isolate = lending(manager());
            let script = Script::new(&isolate);
            let mut region = warm(&isolate, "refused", kind, 4);
            let [kept, pinned] = [(); 2].map(|()| script.take(&region, SIZE).unwrap());
            script.stamp(&region, kept, 1);
            refused(&isolate, &region, pinned.handle, closes);
            assert!(script.is_current(&region) && script.is_live(&region, kept), "{kind:?}");
            // What another allocator lends is in magazines of its own.
            let other = warm(&isolate, "other", kind, 4);
            assert_eq!(script.take(&region, SIZE), None, "{kind:?}, closes: {closes}");
            let memory = script.allocate(&mut region, SIZE).unwrap();
            script.stamp(&region, memory, 2);
            assert_eq!(figures(&isolate, region.id).blocks, 3);
            assert!(script.reads(&region, kept, 1) && script.ready(&other, SIZE) == 4);
            for memory in [kept, pinned, memory] {
                script.free(&region, memory).unwrap();
            }
            assert!(script.ready(&region, SIZE) >= 3, "{kind:?}");
            assert_all_free(&isolate, region.id);
            assert_all_free(&isolate, other.id);
        }
    }
}

#[test]
fn resets_and_closes_give_magazines_back_for_the_next() {
    let isolate = lending(manager());
    for round in 0..1000 {
        let region = warm(&isolate, "magazines", Kind::Slab, 2);
        if round % 2 == 0 {
            isolate.reset_allocator(region.id).unwrap();
        } else {
            isolate.close_allocator(region.id).unwrap();
        }
        assert_eq!(lent(isolate.manager()), 0);
    }
}

#[test]
fn what_an_isolate_s_end_leaves_is_free_for_others() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let script = Script::new(&one);
        let region = warm(&one, "end", kind, 8);
        let pinned = script.take(&region, SIZE).unwrap();
        one.pin_in(region.id, pinned.handle).unwrap();
        script.take(&region, SIZE).unwrap();
        drop(one);
        assert_eq!(lent(manager), 0, "{kind:?}");
        let mut theirs = Script::new(&two).open("end", measures(kind, MIB)).unwrap();
        assert_all_free(&two, theirs.id);
        let largest = figures(&two, theirs.id).largest_free;
        Script::new(&two).allocate(&mut theirs, largest).unwrap();
        manager.tracker.scan(|row| assert_eq!(row.owner, Owner::grant(two.number())));
    }
}

#[test]
fn records_of_what_is_lent_are_used_again_whoever_ends_it() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let used = || manager.tracker.used().iter().sum::<usize>();
        let mut before = 0;
        for round in 0..120 {
            let region = warm(&one, "records", kind, 16);
            Script::new(&one).take(&region, SIZE).unwrap();
            match round % 4 {
                0 => one.reset_allocator(region.id).unwrap(),
                1 => one.settle_loans(region.id),
                _ => {
                    let theirs = Script::new(&two).open("records", measures(kind, MIB)).unwrap();
                    two.reset_allocator(theirs.id).unwrap();
                }
            }
            one.close_allocator(region.id).unwrap();
            if round == 8 {
                before = used();
            }
        }
        assert!(used() <= before + 256, "{kind:?}: {before} and now {}", used());
    }
}

#[test]
fn sizes_whose_classes_share_a_place_never_get_each_other_s_grants() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let mut region = script.open("sizes", measures(Kind::ObjectPool, 256 * MIB)).unwrap();
    for round in 0..3 {
        let mut all = Vec::new();
        for size in (1..=200).map(|count| 16 * count) {
            for _ in 0..3 {
                let memory = script.allocate(&mut region, size).unwrap();
                let bytes = granted(&isolate, memory);
                assert_eq!(bytes, size, "{round}");
                all.push(memory);
            }
        }
        all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
        assert!(lent(isolate.manager()) >= 64);
    }
    assert_all_free(&isolate, region.id);
}

/// The bytes that a memory was granted.
fn granted(isolate: &Isolate, memory: Memory) -> u64 {
    let manager = isolate.manager();
    let row = manager.tracker.shared_row(memory.handle.slot).unwrap();
    assert_eq!(row.handle, memory.handle);
    manager.row(&row, 0).unwrap().actual_size
}
