//! Pieces of arenas.

use super::script::{Memory, Region, Script};
use super::{MIB, code, figures, lending, manager, measures, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

fn arena<'a>(isolate: &'a Isolate, total: u64) -> (Script<'a>, Region) {
    let script = Script::new(isolate);
    let region = script.opened(Kind::Arena, total);
    (script, region)
}

/// Blocks, requested, held.
fn settled(isolate: &Isolate, region: &Region) -> (u64, u64, u64) {
    let stats = stats(isolate, region.id);
    assert_eq!(stats.largest_free, stats.total - stats.held);
    (stats.blocks, stats.requested, stats.held)
}

#[test]
fn a_script_cuts_an_arena_position_by_position() {
    let isolate = lending(manager());
    let (script, mut region) = arena(&isolate, MIB);
    let (mut position, mut sum) = (0, 0);
    let mut calls = 0;
    for count in 1..=500_u64 {
        let size = 1 + count * 7 % 90;
        let memory = script.take(&region, size).unwrap_or_else(|| {
            calls += 1;
            script.ask(&mut region, size, Label::NONE).unwrap()
        });
        assert_eq!(memory.offset, position, "{count}");
        assert!(script.is_live(&region, memory));
        position += size.next_multiple_of(8);
        sum += size;
        let now = figures(&isolate, region.id);
        assert_eq!((now.blocks, now.requested), (count, sum), "without any settling");
        assert!(now.held >= position && now.held <= position + (16 << 10));
    }
    assert!(calls > 1 && calls < 5, "{calls}");
    assert_eq!(settled(&isolate, &region), (500, sum, position));
    assert_eq!(script.take(&region, 8), None, "nothing is left of the piece");
    assert_eq!(script.allocate(&mut region, 8).unwrap().offset, position);
}

#[test]
fn every_position_of_a_piece_has_the_arena_s_alignment() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    for log2 in [0, 3, 6, 10, 12] {
        let wanted = Measures { alignment: AlignmentCode(log2), ..measures(Kind::Arena, 16 * MIB) };
        let mut region = script.open(&format!("by {log2}"), wanted).unwrap();
        let (step, mut position, mut cut) = ((1 << log2).max(8), 0, 0);
        for count in 0..100 {
            let size = 1 + count * count % 3000;
            cut += u64::from(script.is_ready(&region, size));
            assert_eq!(script.allocate(&mut region, size).unwrap().offset, position, "by {step}");
            position += size.next_multiple_of(step);
        }
        assert!(cut > 50, "by {step}: {cut}");
        assert_eq!(settled(&isolate, &region).2, position);
    }
}

#[test]
fn an_arena_is_full_only_when_it_is_whoever_cut_it() {
    for total in [64 << 10, 100_001, MIB, 8 * MIB] {
        for size in [1, 40, 1000, 16_384, 20_000] {
            let isolate = lending(manager());
            let (script, mut region) = arena(&isolate, total);
            let mut count = 0;
            let refused = loop {
                match script.allocate(&mut region, size) {
                    Ok(memory) => assert_eq!(memory.offset, count * size.next_multiple_of(8)),
                    Err(refused) => break refused,
                }
                count += 1;
            };
            let held = settled(&isolate, &region).2;
            assert_eq!((refused.code, refused.available), (Code::RegionFull, total - held));
            assert!(total - held < size, "{count} of {size} in {total}");
            assert_eq!(settled(&isolate, &region), (count, count * size, held));
            let rest = total - held;
            assert!(rest == 0 || script.allocate(&mut region, rest).is_ok());
        }
    }
}

#[test]
fn small_arenas_and_large_requests_lend_no_piece() {
    let isolate = lending(manager());
    let (script, mut region) = arena(&isolate, (64 << 10) - 1);
    script.allocate(&mut region, 8).unwrap();
    assert_eq!(script.take(&region, 8), None);
    let mut large = script.open("large", measures(Kind::Arena, 64 * MIB)).unwrap();
    script.allocate(&mut large, 16_385).unwrap();
    assert_eq!(script.take(&large, 8), None);
    script.allocate(&mut large, 16_384).unwrap();
    assert!(script.take(&large, 8).is_some());
}

#[test]
fn a_mark_and_a_rewind_end_the_piece_and_their_levels_are_those_of_what_is_cut() {
    let isolate = lending(manager());
    let (script, mut region) = arena(&isolate, MIB);
    let below = [(); 3].map(|()| script.allocate(&mut region, 100).unwrap());
    let mark = isolate.mark_in(region.id).unwrap();
    assert_eq!(script.take(&region, 8), None);
    let above = [(); 3].map(|()| script.allocate(&mut region, 100).unwrap());
    assert_eq!(above[0].offset, 312);
    assert_ne!(above[2].handle, below[2].handle, "another level");
    isolate.free_in(region.id, above[2].handle, 100).unwrap();
    assert_eq!(settled(&isolate, &region), (5, 500, 624));
    script.allocate(&mut region, 100).unwrap(); // another piece
    isolate.rewind_in(region.id, mark).unwrap();
    assert_eq!((script.take(&region, 8), settled(&isolate, &region)), (None, (3, 300, 312)));
    assert!(below.iter().all(|memory| script.is_live(&region, *memory)));
    assert!(above.iter().all(|memory| !script.is_live(&region, *memory)));
    assert_eq!(code(isolate.free_in(region.id, above[0].handle, 100)), Code::UseAfterFree);
    let again = [(); 2].map(|()| script.allocate(&mut region, 100).unwrap());
    assert_eq!(again.map(|memory| memory.offset), [312, 416]);
    assert!(again.iter().all(|memory| script.is_live(&region, *memory)));
    let late = isolate.mark_in(region.id).unwrap();
    isolate.rewind_in(region.id, mark).unwrap();
    script.allocate(&mut region, 100).unwrap();
    assert_eq!(
        code(isolate.rewind_in(region.id, late)),
        Code::InvalidValue,
        "refused, and the piece is over"
    );
    assert_eq!((script.take(&region, 8), script.allocate(&mut region, 8).unwrap().offset), (None, 416));
}

#[test]
fn a_reset_ends_the_piece_and_so_does_a_refused_one() {
    for closes in [false, true] {
        let isolate = lending(manager());
        let (script, mut region) = arena(&isolate, MIB);
        let memory = [(); 2].map(|()| script.allocate(&mut region, 100).unwrap())[1];
        isolate.pin_in(region.id, memory.handle).unwrap();
        let end = |id| if closes { isolate.close_allocator(id) } else { isolate.reset_allocator(id) };
        assert_eq!(code(end(region.id)), Code::InUse);
        isolate.unpin_in(region.id, memory.handle).unwrap();
        assert!(script.is_live(&region, memory));
        // Nothing that lies in another allocator's magazine is a piece of this arena.
        let mut other = script.open("other", measures(Kind::Slab, MIB)).unwrap();
        let freed: Vec<Memory> = (0..12).map(|_| script.allocate(&mut other, 100).unwrap()).collect();
        freed.into_iter().for_each(|memory| script.free(&other, memory).unwrap());
        script.allocate(&mut other, 100).unwrap();
        assert_eq!(script.take(&region, 1), None, "closes: {closes}");
        assert_eq!(script.allocate(&mut region, 100).unwrap().offset, 208);
        assert_eq!(settled(&isolate, &region), (3, 300, 312));
        script.allocate(&mut region, 100).unwrap();
        end(region.id).unwrap();
        assert_eq!(script.take(&region, 8), None);
        region = if closes { script.opened(Kind::Arena, MIB) } else { script.again(&region) };
        assert_eq!(settled(&isolate, &region), (0, 0, 0));
        assert_eq!(script.allocate(&mut region, 100).unwrap().offset, 0);
        assert_eq!(script.take(&region, 100).map(|memory| memory.offset), Some(104));
        assert_eq!(settled(&isolate, &region), (2, 200, 208));
    }
}

#[test]
fn a_trim_keeps_what_was_cut() {
    let isolate = lending(manager());
    let (script, mut region) = arena(&isolate, 64 * MIB);
    let all = [(); 10].map(|()| script.allocate(&mut region, 5000).unwrap());
    (1..).zip(&all).for_each(|(value, memory)| script.stamp(&region, *memory, value));
    isolate.trim_allocator(region.id).unwrap();
    assert_eq!((script.take(&region, 8), settled(&isolate, &region)), (None, (10, 50_000, 50_000)));
    assert!((1..).zip(&all).all(|(value, memory)| script.reads(&region, *memory, value)));
}

#[test]
fn what_a_script_cuts_others_count_without_settling_and_after_it_has_ended() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    for count in 1..=20 {
        script.allocate(&mut region, 10).unwrap();
        let now = figures(&two, region.id);
        assert_eq!((now.blocks, now.requested), (count, 10 * count));
    }
    let rows = manager.rows();
    assert_eq!((rows.len(), rows[0].row.extent.size), (1, 200));
    drop(one);
    assert_eq!(settled(&two, &region), (20, 200, 320), "an arena keeps what its isolates leave");
    let theirs = Script::new(&two).opened(Kind::Arena, MIB);
    two.reset_allocator(theirs.id).unwrap();
    assert_eq!(settled(&two, &theirs), (0, 0, 0));
}

#[test]
fn each_isolate_has_a_piece_of_its_own() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    let other = Script::new(&two);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let mine = [(); 20].map(|()| script.allocate(&mut region, 100).unwrap().offset);
    let others = [(); 20].map(|()| other.allocate(&mut theirs, 100).unwrap().offset);
    let rows = |from: u64| std::array::from_fn(|index| from + 104 * index as u64);
    assert_eq!((mine, others), (rows(0), rows(others[0])));
    assert!(others[0] > mine[19] + 104, "behind the first one's piece");
    let next = script.take(&region, 100).unwrap();
    assert_eq!(next.offset, mine[19] + 104, "of which there is more");
    assert!(script.is_live(&region, next) && other.is_live(&theirs, next));
    let now = figures(&two, region.id);
    assert_eq!((now.blocks, now.requested), (41, 4100));
    two.reset_allocator(theirs.id).unwrap();
    assert!(!script.is_live(&region, next) && script.take(&region, 100).is_none());
    assert_eq!(settled(&two, &theirs), (0, 0, 0));
}

#[test]
fn a_piece_before_another_s_is_kept_while_it_is_worth_it() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    let piece = MIB / 64;
    let first = [(); 2].map(|()| script.allocate(&mut region, 100).unwrap())[1].offset;
    let other = Script::new(&two);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let behind = other.allocate(&mut theirs, 100).unwrap().offset;
    // Too large for a piece, and served behind everything: small ones go on where they were.
    let large = script.allocate(&mut region, piece).unwrap().offset;
    assert!(large > behind);
    assert_eq!(script.take(&region, 100).unwrap().offset, first + 104);
    one.settle_stretches();
    assert_eq!(script.take(&region, 100).unwrap().offset, first + 208, "statistics do not end it");
    // So much that a quarter is not left: the next request that needs a call gets another.
    while script.is_ready(&region, piece / 4) {
        script.take(&region, 100).unwrap();
    }
    script.allocate(&mut region, piece).unwrap();
    let next = script.take(&region, 100);
    assert!(next.is_none_or(|memory| memory.offset > large), "{next:?}");
    assert!(script.allocate(&mut region, 100).unwrap().offset > large);
}

#[test]
fn an_arena_that_is_full_but_for_others_pieces_gets_back_what_lies_at_its_end() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    let other = Script::new(&two);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let first = script.allocate(&mut region, MIB / 2).unwrap();
    let small = other.allocate(&mut theirs, 8).unwrap(); // and a piece behind it
    assert_eq!(figures(&two, region.id).free, MIB / 2 - 8, "which counts as free");
    let all = script.allocate(&mut region, MIB / 2 - 8).unwrap();
    assert_eq!((first.offset, small.offset, all.offset), (0, MIB / 2, MIB / 2 + 8));
    assert_eq!(other.take(&theirs, 8), None);
    assert_eq!(settled(&one, &region), (3, MIB, MIB));
}

#[test]
fn another_isolate_s_mark_behind_a_piece_keeps_its_place() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    assert!((0..2).all(|_| script.allocate(&mut region, 100).is_ok()));
    let other = Script::new(&two);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let mark = two.mark_in(theirs.id).unwrap();
    let position = figures(&two, theirs.id).held;
    assert_eq!(position, 208, "what is left of the piece is back");
    assert_eq!(script.take(&region, 8), None, "it would lie before the mark and be granted after it");
    let first = other.allocate(&mut theirs, 100).unwrap();
    assert!(first.offset >= position);
    two.mark_in(theirs.id).unwrap();
    two.rewind_in(theirs.id, mark).unwrap();
    assert_eq!(settled(&two, &theirs), (2, 200, position));
    assert!(!other.is_live(&theirs, first));
    assert_eq!(other.allocate(&mut theirs, 100).unwrap().offset, position);
    assert_eq!(settled(&one, &region).0, 3);
}

#[test]
fn another_isolate_s_reset_or_close_takes_the_piece_and_its_figures() {
    for closes in [false, true] {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let (script, mut region) = arena(&one, MIB);
        assert!((0..5).all(|_| script.allocate(&mut region, 100).is_ok()));
        let other = Script::new(&two);
        let mut theirs = other.opened(Kind::Arena, MIB);
        let mine = script.allocate(&mut region, 100).unwrap();
        if closes {
            two.close_allocator(theirs.id).unwrap();
            theirs = other.opened(Kind::Arena, MIB);
        } else {
            two.reset_allocator(theirs.id).unwrap();
            theirs = other.again(&theirs);
        }
        assert!(!script.is_current(&region) && !script.is_live(&region, mine));
        let all = [(); 3].map(|()| other.allocate(&mut theirs, 10).unwrap());
        assert_eq!(all.map(|memory| memory.offset), [0, 16, 32]);
        assert_eq!(figures(&two, theirs.id).requested, 30);
        one.settle_stretches(); // what is left of the old piece is nobody's
        let refused = script.ask(&mut region, 8, Label::NONE);
        assert_eq!(refused.is_err(), closes);
        drop(one);
        let more = u64::from(!closes);
        assert_eq!(settled(&two, &theirs).0, 3 + more);
        assert_eq!(settled(&two, &theirs).1, 30 + 8 * more);
        assert!(all.iter().all(|memory| other.is_live(&theirs, *memory)));
    }
}

#[test]
fn the_rest_of_a_piece_from_before_a_reset_is_nobody_s_though_the_position_stands_at_its_end() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = arena(&one, MIB);
    script.allocate(&mut region, 100).unwrap();
    let other = Script::new(&two);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let end = figures(&two, theirs.id).held + MIB / 64;
    two.reset_allocator(theirs.id).unwrap();
    let all = other.allocate(&mut theirs, end).unwrap();
    one.settle_stretches();
    assert_eq!((all.offset, other.allocate(&mut theirs, 8).unwrap().offset), (0, end));
}
