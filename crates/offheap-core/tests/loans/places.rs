//! Places of rings: how many are lent and of what, what becomes of them, and what others see of it. Where the system lends
//! no fence nobody has a ring alone, and nothing of it is lent.

use super::script::{END_STORES, Memory, Region, Script, TAKE_LIVES, TAKE_STORES};
use super::{MIB, assert_all_free, code, figures, lending, lent, manager, measures, stats};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::Kind;
use offheap_core::raw;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::Generation;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const SIZE: u64 = 1000;
const PLACE: u64 = 1024;

fn ring<'a>(isolate: &'a Isolate, total: u64) -> (Script<'a>, Region) {
    let script = Script::new(isolate);
    let region = script.opened(Kind::Ring, total);
    (script, region)
}

/// So many grants, which lie one behind the other from an offset on.
fn allocate(script: &Script<'_>, region: &mut Region, count: u64, from: u64) -> Vec<Memory> {
    let mut next = from;
    (0..count)
        .map(|_| {
            let memory = script.allocate(region, SIZE).unwrap();
            assert_eq!(memory.offset, next);
            next += PLACE;
            memory
        })
        .collect()
}

#[test]
fn requests_of_one_size_are_lent_places_in_the_ring_s_order_twice_as_many_each_time() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, MIB);
    let mut asked = Vec::new();
    for count in 0..400 {
        let memory = script.take(&region, SIZE).unwrap_or_else(|| {
            asked.push(count);
            script.ask(&mut region, SIZE, Label::NONE).unwrap()
        });
        assert_eq!(memory.offset, count * PLACE);
        assert!(script.is_live(&region, memory));
    }
    let expected = [0, 1, 5, 13, 29, 61, 125, 189, 253, 317, 381];
    assert!(asked == expected || !raw::can_fence_everywhere(), "{asked:?}");
}

#[test]
fn requests_of_another_size_each_time_are_lent_nothing() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, MIB);
    for count in 0..100 {
        let memory = script.ask(&mut region, 1 + count % 2 * 100, Label::NONE).unwrap();
        assert_eq!((memory.offset, lent(isolate.manager())), (count * 64 + count / 2 * 64, 0));
    }
    assert_eq!(script.take(&region, 1), None);
}

#[test]
fn sizes_that_are_rounded_to_one_are_served_from_the_same_places() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, MIB);
    let mut asked = 0;
    for count in 0..640 {
        let size = PLACE - count * 7 % 64;
        let memory = script.take(&region, size).unwrap_or_else(|| {
            asked += 1;
            script.ask(&mut region, size, Label::NONE).unwrap()
        });
        assert_eq!((memory.offset, memory.size), (count * PLACE, size));
    }
    assert!(
        asked < 64 + 20 || !raw::can_fence_everywhere(),
        "{asked}: once for each size, and for each magazine"
    );
}

#[test]
fn what_was_asked_of_places_in_the_program_s_hands_is_summed_whatever_the_sizes_and_the_order_of_their_ends()
{
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, 4 * MIB);
    let mut alive: Vec<Memory> = Vec::new();
    for count in 0..1000_u64 {
        let size = if count % 90 == 89 { 3000 } else { PLACE - count * 7 % 64 };
        alive.push(script.allocate(&mut region, size).unwrap());
        if alive.len() > 20 {
            let index = [0, 20, count as usize * 7 % 21][(count / 100) as usize % 3];
            script.free(&region, alive.swap_remove(index)).unwrap();
        }
        let now = figures(&isolate, region.id);
        let requested = alive.iter().map(|memory| memory.size).sum();
        assert_eq!((now.blocks, now.requested), (alive.len() as u64, requested), "{count}");
    }
}

#[test]
fn a_clock_sees_that_a_ring_is_used_though_as_many_places_lie_ready_each_time_it_looks() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, 256 * PLACE);
    let mut seen = Vec::new();
    for _ in 0..1000 {
        let memory = script.allocate(&mut region, SIZE).unwrap();
        script.free(&region, memory).unwrap();
        if script.ready(&region, SIZE) == 7 {
            seen.push(isolate.table.activity());
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() == count && count > 10 || !raw::can_fence_everywhere(), "{seen:?}");
}

#[test]
fn what_is_asked_for_besides_lies_behind_what_was_taken() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, MIB);
    let mut next = 0;
    for round in 0..200 {
        let size = [SIZE, SIZE, SIZE, SIZE, 3000, SIZE, SIZE, 1, SIZE, 40_000][round % 10];
        let memory = script.allocate(&mut region, size).unwrap();
        assert_eq!(memory.offset, next, "{round}");
        next += size.next_multiple_of(64);
        script.free(&region, memory).unwrap();
        let now = figures(&isolate, region.id);
        assert_eq!((now.blocks, now.requested, now.held), (0, 0, 0), "{round}");
        if next > MIB - 100_000 {
            return; // before it goes around
        }
    }
}

#[test]
fn room_comes_back_in_the_order_of_the_grants_whatever_the_order_in_which_a_script_ends_them() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, 64 * PLACE);
    let all = allocate(&script, &mut region, 64, 0);
    let full = Error::new(Code::RegionFull, SIZE, 0);
    assert_eq!(script.allocate(&mut region, SIZE), Err(full));
    for memory in all[1..].iter().rev() {
        script.free(&region, *memory).unwrap();
        assert_eq!(script.allocate(&mut region, SIZE), Err(full));
        assert_eq!(figures(&isolate, region.id).held, 64 * PLACE);
    }
    script.free(&region, all[0]).unwrap();
    assert_eq!(figures(&isolate, region.id).held, 0);
    assert!(script.allocate(&mut region, 64 * PLACE).is_ok());
}

#[test]
fn a_place_that_is_pinned_or_labelled_is_a_grant_like_any_other() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, 64 * PLACE);
    let _ = isolate.manager().tracker.labels.intern("one");
    let all = allocate(&script, &mut region, 20, 0);
    isolate.pin_in(region.id, all[7].handle).unwrap();
    assert!(!script.give(&region, all[7]));
    assert_eq!(script.hand_back(&region, all[7]), Err(Error::new(Code::InUse, 0, 1)));
    let labelled = script.ask(&mut region, SIZE, Label(1)).unwrap();
    assert_eq!(labelled.offset, 20 * PLACE);
    let next = allocate(&script, &mut region, 5, 21 * PLACE);
    for memory in all.iter().chain(&next).filter(|memory| **memory != all[7]) {
        script.free(&region, *memory).unwrap();
    }
    let now = figures(&isolate, region.id);
    assert_eq!((now.blocks, now.held), (2, (26 - 7) * PLACE), "from the pinned one on");
    isolate.unpin_in(region.id, all[7].handle).unwrap();
    script.free(&region, all[7]).unwrap();
    assert_eq!(figures(&isolate, region.id).held, (26 - 20) * PLACE);
    script.free(&region, labelled).unwrap();
    assert_eq!(code(script.hand_back(&region, labelled)), Code::DoubleFree);
    for memory in all.into_iter().chain(next) {
        assert!(!script.is_live(&region, memory));
        assert_eq!(code(script.hand_back(&region, memory)), Code::DoubleFree);
    }
    assert_all_free(&isolate, region.id);
    allocate(&script, &mut region, 38, 26 * PLACE);
    allocate(&script, &mut region, 26, 0);
}

#[test]
fn a_spent_record_of_a_place_is_not_lent_again_and_its_ring_goes_on() {
    let isolate = lending(manager());
    let (script, mut region) = ring(&isolate, 64 * PLACE);
    let warm = script.ask(&mut region, SIZE, Label::NONE).unwrap();
    script.hand_back(&region, warm).unwrap();
    isolate.manager().tracker.age(warm.handle.slot, Generation(Generation::MAX.0 - 4));
    let mut next = PLACE;
    for _ in 0..1000 {
        let memory = script.allocate(&mut region, SIZE).unwrap();
        assert_eq!(memory.offset, next);
        assert!(memory.handle.generation < Generation::MAX);
        next = (next + PLACE) % (64 * PLACE);
        script.free(&region, memory).unwrap();
    }
    assert_all_free(&isolate, region.id);
}

#[test]
fn who_comes_second_finds_nothing_lent_and_nothing_is_lent_from_then_on() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, mut region) = ring(&one, MIB);
    let all = allocate(&script, &mut region, 20, 0);
    script.free(&region, all[0]).unwrap();
    let (other, mut theirs) = ring(&two, MIB);
    assert_eq!((script.take(&region, SIZE), script.give(&region, all[1]), lent(manager)), (None, false, 0));
    assert_eq!(figures(&two, theirs.id).held, 19 * PLACE, "what was not taken is free");
    assert_eq!(other.allocate(&mut theirs, SIZE).unwrap().offset, 20 * PLACE);
    for memory in &all[1..] {
        assert!(script.is_live(&region, *memory));
        script.free(&region, *memory).unwrap();
        assert_eq!(code(script.hand_back(&region, *memory)), Code::DoubleFree);
    }
    for round in 0..50 {
        let memory = script.allocate(&mut region, SIZE).unwrap();
        assert_eq!((memory.offset, lent(manager)), ((21 + round) * PLACE, 0));
        script.free(&region, memory).unwrap();
    }
    assert_eq!(figures(&two, theirs.id).held, 51 * PLACE, "from the other's grant on");
}

#[test]
fn statistics_of_whoever_count_what_ended_and_what_was_not_taken_as_free_and_take_nothing() {
    let manager = manager();
    let (one, three) = (lending(manager), lending(manager));
    let (script, mut region) = ring(&one, MIB);
    let mut flying = allocate(&script, &mut region, 8, 0);
    for count in 8..300 {
        script.free(&region, flying.remove(0)).unwrap();
        let ready = script.ready(&region, SIZE);
        for isolate in [&one, &three] {
            let now = stats(isolate, region.id);
            assert_eq!((now.blocks, now.requested, now.held), (7, 7 * SIZE, 7 * PLACE), "{count}");
        }
        assert_eq!(script.ready(&region, SIZE), ready);
        flying.extend(allocate(&script, &mut region, 1, count * PLACE));
        let rows = manager.rows();
        assert_eq!((rows.len(), rows[0].row.extent.size, rows[0].actual_size), (1, 8 * SIZE, 8 * PLACE));
    }
}

#[test]
fn an_isolate_that_stops_between_two_stores_leaves_the_ring_at_its_next_place() {
    for stores in 0..=TAKE_STORES.max(END_STORES) {
        for takes in [false, true] {
            let manager = manager();
            let (isolate, two) = (lending(manager), lending(manager));
            let (script, mut region) = ring(&isolate, MIB);
            let all = allocate(&script, &mut region, 9, 0);
            let stopped = Script::stopped_after(&isolate, stores);
            let is_lent =
                if takes { stopped.take(&region, SIZE).is_some() } else { stopped.give(&region, all[2]) };
            assert!(is_lent || !raw::can_fence_everywhere());
            let live = 9 + if takes { i32::from(stores >= TAKE_LIVES) } else { -i32::from(stores > 0) };
            let size = |info: &offheap_core::report::Info| info.actual_size;
            assert!(!is_lent || manager.rows().iter().map(size).sum::<u64>() == live as u64 * PLACE);
            drop(isolate);
            assert_eq!(lent(manager), 0);
            manager.tracker.scan(|row| panic!("{row:?} is left"));
            let (other, mut theirs) = ring(&two, MIB);
            assert_all_free(&two, theirs.id);
            let next = PLACE * (9 + u64::from(is_lent && takes && stores >= TAKE_LIVES));
            assert_eq!(other.allocate(&mut theirs, SIZE).unwrap().offset, next, "takes: {takes}, {stores}");
        }
    }
}

#[test]
fn a_ring_s_grants_never_overlap_when_a_second_isolate_comes_at_any_moment() {
    for round in 0..100 {
        let manager = manager();
        let barrier = Barrier::new(2);
        let allocate = |isolate: &Isolate, late: u64| {
            let script = Script::new(isolate);
            thread::sleep(Duration::from_micros(late));
            let mut region = script.open("ring", measures(Kind::Ring, MIB)).unwrap();
            let mut all = Vec::new();
            for count in 0..400 {
                let size = if count % 70 == 69 { 300 } else { SIZE };
                all.push(script.allocate(&mut region, size).unwrap());
                if count % 3 == 2 {
                    let ended: Memory = all.swap_remove(all.len() - 2);
                    script.free(&region, ended).unwrap();
                }
            }
            all
        };
        let mut all = thread::scope(|scope| {
            let other = scope.spawn(|| {
                let isolate = lending(manager);
                barrier.wait();
                allocate(&isolate, 5 * round)
            });
            let isolate = lending(manager);
            barrier.wait();
            let mut all = allocate(&isolate, 0);
            all.extend(other.join().unwrap());
            let now = figures(&isolate, manager.allocators.all()[0].id);
            let live = all.len() as u64;
            assert!(now.blocks <= live, "{round}: the other has ended");
            all
        });
        all.sort_unstable_by_key(|memory| memory.offset);
        assert!(all.windows(2).all(|pair| pair[0].offset + pair[0].size <= pair[1].offset), "{round}");
    }
}

#[test]
fn figures_of_others_are_whole_while_a_script_takes_and_ends() {
    let manager = manager();
    let isolate = lending(manager);
    let (script, region) = ring(&isolate, 64 * PLACE);
    let allocator = manager.allocators.get(region.id).unwrap();
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            for _ in 0..2000 {
                let (now, rows) = (allocator.stats(manager), manager.rows());
                assert!(now.held + now.free == now.total && now.blocks <= 64 && rows.len() <= 1, "{now:?}");
            }
        });
        let (mut region, mut flying, mut next) = (region.clone(), Vec::new(), 0);
        while !looks.is_finished() {
            let memory = script.allocate(&mut region, SIZE).unwrap();
            assert_eq!(memory.offset, next);
            next = (next + PLACE) % (64 * PLACE);
            flying.push(memory);
            if flying.len() == 8 {
                flying.drain(..5).for_each(|memory| script.free(&region, memory).unwrap());
            }
        }
        flying.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
    });
    assert_all_free(&isolate, region.id);
}
