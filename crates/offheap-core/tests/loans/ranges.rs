//! What a hybrid serves from no slab, and keeps all the same: requests up to 64 KiB, where a unit is 4 KiB. It lends what is
//! less than 32 KiB.

use super::script::{Memory, Region, Script};
use super::{MIB, assert_all_free, code, figures, lending, lent, manager, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;
use std::collections::BTreeSet;

const TOTAL: u64 = 8 * MIB;
/// Two of each: the smallest and the largest of a number of units.
const SIZES: [u64; 8] = [16_385, 20_480, 20_481, 24_576, 24_577, 28_672, 28_673, 32_767];

fn opened(isolate: &Isolate, kind: Kind) -> (Script<'_>, Region) {
    let script = Script::new(isolate);
    let region = script.opened(kind, TOTAL);
    (script, region)
}

/// So many grants of a size, which then lie ready, and the native side has told where.
fn warm(script: &Script<'_>, region: &mut Region, size: u64, count: usize) {
    let all: Vec<Memory> = (0..count).map(|_| script.allocate(region, size).unwrap()).collect();
    all.into_iter().for_each(|memory| script.free(region, memory).unwrap());
    let memory = script.ask(region, size, Label::NONE).unwrap();
    script.free(region, memory).unwrap();
    assert_eq!(script.ready(region, size), count, "{size}");
}

/// Grants of sizes by turns, until the region is full.
fn fill_up(script: &Script<'_>, region: &mut Region, sizes: &[u64]) -> Vec<Memory> {
    let mut all = Vec::new();
    for size in sizes.iter().cycle() {
        match script.allocate(region, *size) {
            Ok(memory) => all.push(memory),
            Err(refused) => {
                assert_eq!(refused.code, Code::RegionFull);
                return all;
            }
        }
    }
    all
}

fn free_all(script: &Script<'_>, region: &Region, all: Vec<Memory>) {
    all.into_iter().for_each(|memory| script.free(region, memory).unwrap());
}

#[test]
fn what_was_freed_is_taken_again_without_a_call_up_to_32767_bytes() {
    for kind in [Kind::Hybrid, Kind::Buddy, Kind::ObjectPool] {
        for size in SIZES {
            let isolate = lending(manager());
            let (script, mut region) = opened(&isolate, kind);
            warm(&script, &mut region, size, 3);
            let (held, mut taken) = (figures(&isolate, region.id).held, Vec::new());
            for (count, value) in (1..=3).zip(1..) {
                let memory = script.take(&region, size).unwrap();
                assert!(taken.iter().all(|other: &Memory| other.offset.abs_diff(memory.offset) >= size));
                script.stamp(&region, memory, value);
                taken.push(memory);
                let now = figures(&isolate, region.id);
                assert_eq!((now.blocks, now.requested, now.held), (count, count * size, held), "{kind:?}");
            }
            assert_eq!(script.take(&region, size), None);
            for (memory, value) in taken.into_iter().zip(1..) {
                assert!(script.reads(&region, memory, value) && script.is_live(&region, memory));
                assert!(script.give(&region, memory), "{kind:?} {size}");
                assert!(!script.is_live(&region, memory) && !script.give(&region, memory));
                assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree);
            }
            assert_all_free(&isolate, region.id);
            assert_eq!(lent(isolate.manager()), 0, "{kind:?} {size}");
        }
    }
}

#[test]
fn what_was_freed_serves_every_request_of_as_many_units() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    for pair in SIZES.chunks(2) {
        let (least, most) = (pair[0], pair[1]);
        let memory = script.allocate(&mut region, least).unwrap();
        script.free(&region, memory).unwrap();
        let same = script.allocate(&mut region, most).unwrap();
        assert_eq!(same.offset, memory.offset);
        script.free(&region, same).unwrap();
        let other = script.allocate(&mut region, most + 4096).unwrap();
        assert_ne!(other.offset, memory.offset);
        script.free(&region, other).unwrap();
        isolate.settle_loans(region.id);
    }
    assert_all_free(&isolate, region.id);
}

#[test]
fn what_no_script_takes_is_not_lent_and_waits_up_to_64_kib() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    for (size, is_kept) in [(32_768, true), (40_000, true), (0x1_0000, true), (0x1_0001, false)] {
        let [first, second] = [(); 2].map(|()| script.allocate(&mut region, size).unwrap());
        free_all(&script, &region, vec![first, second]);
        assert_eq!(lent(isolate.manager()), 0, "{size}");
        assert_eq!(script.take(&region, size), None);
        // Joined, they would be granted from their start; kept, the last is the first.
        let again = script.allocate(&mut region, size).unwrap();
        assert_eq!(again.offset, if is_kept { second.offset } else { first.offset }, "{size}");
        script.free(&region, again).unwrap();
        assert_eq!(code(script.hand_back(&region, again)), Code::DoubleFree);
        assert_all_free(&isolate, region.id);
    }
}

#[test]
fn nothing_above_16_kib_is_cut_in_advance() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    for size in [16_385, 20_000, 32_767] {
        warm(&script, &mut region, size, 1);
        let all: Vec<Memory> = (0..10).map(|_| script.allocate(&mut region, size).unwrap()).collect();
        assert_eq!((script.ready(&region, size), lent(isolate.manager())), (0, 1), "{size}");
        assert_eq!(figures(&isolate, region.id).held, 10 * size.next_multiple_of(4096));
        free_all(&script, &region, all);
        isolate.settle_loans(region.id);
    }
    warm(&script, &mut region, 16_384, 1);
    for _ in 0..2 {
        script.allocate(&mut region, 16_384).unwrap();
    }
    assert_eq!(script.ready(&region, 16_384), 7, "of a slab it is");
}

#[test]
fn a_region_full_of_ranges_that_lie_ready_serves_one_request_for_all_that_is_free() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    let sizes = [16_385, 20_481, 24_577, 28_673, 32_767, 40_000, 50_000, 0x1_0000];
    let kept = script.allocate(&mut region, 4096).unwrap();
    let before = stats(&isolate, region.id);
    for round in 0..3 {
        let all = fill_up(&script, &mut region, &sizes);
        let count = all.len();
        free_all(&script, &region, all);
        assert!(lent(isolate.manager()) > 4, "{round}"); // the others wait
        let rest = script.allocate(&mut region, before.largest_free).unwrap();
        assert_eq!(lent(isolate.manager()), 0, "{round}");
        script.free(&region, rest).unwrap();
        let again = fill_up(&script, &mut region, &sizes);
        assert_eq!(again.len(), count, "{round}: as many as the first time");
        free_all(&script, &region, again);
        assert_eq!(stats(&isolate, region.id), before);
    }
    script.free(&region, kept).unwrap();
    assert_all_free(&isolate, region.id);
}

#[test]
fn small_requests_get_the_spans_in_which_ranges_lie_ready() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    let all = fill_up(&script, &mut region, &[32_767]);
    assert_eq!(all.len(), 256);
    free_all(&script, &region, all);
    assert!(lent(isolate.manager()) > 0);
    let small = fill_up(&script, &mut region, &[16_384]);
    assert_eq!((small.len(), lent(isolate.manager())), (512, 0));
    free_all(&script, &region, small);
    let whole = script.allocate(&mut region, TOTAL).unwrap();
    script.free(&region, whole).unwrap();
    assert_all_free(&isolate, region.id);
}

#[test]
fn a_small_grant_that_no_span_had_room_for_is_no_range_that_lies_ready() {
    let isolate = lending(manager());
    let (script, mut region) = opened(&isolate, Kind::Hybrid);
    let rest = script.ask(&mut region, TOTAL - (60 << 10), Label::NONE).unwrap();
    let mut apart = BTreeSet::new();
    for size in [16_384, 16_000, 100] {
        let small = script.ask(&mut region, size, Label::NONE).unwrap();
        script.hand_back(&region, small).unwrap();
        assert_eq!(lent(isolate.manager()), 0, "{size}");
        apart.insert(script.ask(&mut region, size, Label::NONE).unwrap().offset);
    }
    let range = script.ask(&mut region, 16_385, Label::NONE).unwrap();
    assert!(apart.insert(range.offset) && apart.len() == 4);
    script.hand_back(&region, range).unwrap();
    assert_eq!(lent(isolate.manager()), 1);
    script.hand_back(&region, rest).unwrap();
    isolate.reset_allocator(region.id).unwrap();
    assert_all_free(&isolate, region.id);
}

#[test]
fn a_trim_a_reset_a_close_and_another_isolate_take_ranges_back_that_lie_ready() {
    let one = lending(manager());
    let (script, mut region) = opened(&one, Kind::Hybrid);
    let lay_ready = |region: &mut Region| {
        let all = fill_up(&script, region, &SIZES);
        free_all(&script, region, all);
        assert!(lent(one.manager()) > 3);
    };
    lay_ready(&mut region);
    assert!(one.trim_allocator(region.id).unwrap() > 0 || cfg!(offheap_portable));
    assert_all_free(&one, region.id);
    lay_ready(&mut region);
    let live = script.allocate(&mut region, 20_000).unwrap();
    one.reset_allocator(region.id).unwrap();
    assert!(!script.is_live(&region, live));
    region = script.again(&region);
    assert_all_free(&one, region.id);
    lay_ready(&mut region);
    let live = script.allocate(&mut region, 20_000).unwrap();
    script.stamp(&region, live, 9);
    let two = lending(one.manager());
    let (theirs, mut same) = opened(&two, Kind::Hybrid);
    two.settle_loans(same.id);
    assert_eq!(lent(one.manager()), 0, "statistics count it as free");
    assert_eq!((figures(&two, same.id).blocks, figures(&two, same.id).held), (1, 20_480));
    let all = fill_up(&theirs, &mut same, &SIZES);
    assert!(all.iter().all(|memory| memory.offset + memory.size <= live.offset
        || live.offset + 20_480 <= memory.offset));
    assert!(script.reads(&region, live, 9));
    free_all(&theirs, &same, all);
    two.close_allocator(same.id).unwrap();
    let (_, mut next) = opened(&one, Kind::Hybrid);
    assert_all_free(&one, next.id);
    let whole = script.allocate(&mut next, TOTAL).unwrap();
    script.free(&next, whole).unwrap();
}
