//! Pools through the manager's public interface.
//!
//! Properties: a block belongs to its pool alone and comes back once; limits hold; nothing of one owner is
//! left for the next; a model of any sequence of steps; what an ended isolate or a closed pool leaves.

use offheap_core::base::error::{Code, Result};
use offheap_core::manager::{Isolate, Manager, PoolMeasures, PoolStats, Request};
use offheap_core::ops;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle, Owner};
use std::collections::HashSet;

const SIZE: u64 = 1000;
const REQUEST: Request =
    Request { size: SIZE, alignment: AlignmentCode::CACHE_LINE, zeroed: false, label: Label::NONE };
const MEASURES: PoolMeasures =
    PoolMeasures { request: REQUEST, idle_max: 50, limit: u64::MAX, zero_on_release: true };

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

fn isolate() -> Isolate {
    Isolate::open(manager(), Some(0)).unwrap()
}

fn opened(measures: PoolMeasures) -> (Isolate, u32) {
    let isolate = isolate();
    let pool = isolate.open_pool("frames", measures).unwrap();
    (isolate, pool)
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

fn stats(isolate: &Isolate, pool: u32) -> (u64, u64, u64, u64) {
    isolate.manager().tracker.check().unwrap();
    let PoolStats { available, in_use, hits, misses } = isolate.pool_stats(pool).unwrap();
    (available, in_use, hits, misses)
}

fn bytes_of(isolate: &Isolate, handle: Handle) -> Vec<u8> {
    let mut copy = vec![1; SIZE as usize];
    ops::snapshot(isolate.bytes(handle, 0, SIZE).unwrap(), &mut copy).unwrap();
    copy
}

fn live_bytes(isolate: &Isolate) -> u64 {
    isolate.manager().tracker.counters.sum().live_bytes()
}

#[test]
fn a_released_block_is_the_next_with_a_handle_of_its_own() {
    let (isolate, pool) = opened(MEASURES);
    let first = isolate.acquire(pool).unwrap();
    assert_eq!(isolate.address(first.slot).unwrap() % 64, 0);
    assert_eq!((stats(&isolate, pool), live_bytes(&isolate)), ((0, 1, 0, 1), SIZE));
    isolate.release(pool, first).unwrap();
    assert_eq!((stats(&isolate, pool), live_bytes(&isolate)), ((1, 0, 0, 1), 0));
    let second = isolate.acquire(pool).unwrap();
    assert_eq!((second.slot, stats(&isolate, pool)), (first.slot, (0, 1, 1, 1)));
    assert_ne!(second, first);
    assert_eq!(code(isolate.release(pool, first)), Code::DoubleFree);
    assert_eq!(stats(&isolate, pool), (0, 1, 1, 1));
}

#[test]
fn a_block_belongs_to_its_pool_alone() {
    let (isolate, pool) = opened(MEASURES);
    let other = isolate.open_pool("other", MEASURES).unwrap();
    let (mine, plain) = (isolate.acquire(pool).unwrap(), isolate.allocate(REQUEST).unwrap());
    assert_eq!(code(isolate.release(other, mine)), Code::ForeignBlock);
    assert_eq!(code(isolate.free(mine)), Code::ForeignBlock);
    assert_eq!(code(isolate.reallocate(mine, 10)), Code::ForeignBlock);
    assert_eq!(code(isolate.release(pool, plain)), Code::ForeignBlock);
    isolate.pin(mine).unwrap();
    assert_eq!(code(isolate.release(pool, mine)), Code::InUse);
    isolate.unpin(mine).unwrap();
    isolate.free(plain).unwrap();
    assert_eq!(code(isolate.release(pool, plain)), Code::DoubleFree);
    isolate.free_any(mine).unwrap();
    assert_eq!((stats(&isolate, pool), stats(&isolate, other)), ((1, 0, 0, 1), (0, 0, 0, 0)));
}

#[test]
fn the_limit_holds_and_idle_blocks_above_the_maximum_go_back() {
    let (isolate, pool) = opened(PoolMeasures { idle_max: 2, limit: 4, ..MEASURES });
    let blocks: Vec<Handle> = (0..4).map(|_| isolate.acquire(pool).unwrap()).collect();
    let refused = isolate.acquire(pool).unwrap_err();
    assert_eq!((refused.code, refused.requested, refused.available), (Code::Limit, 0, 0));
    blocks.iter().for_each(|block| isolate.release(pool, *block).unwrap());
    assert_eq!(stats(&isolate, pool), (2, 0, 0, 4));
    isolate.clear_pool(pool).unwrap();
    assert_eq!(stats(&isolate, pool), (0, 0, 0, 4));
    let (none, empty) = opened(PoolMeasures { idle_max: 0, ..MEASURES });
    let block = none.acquire(empty).unwrap();
    none.release(empty, block).unwrap();
    assert_eq!(stats(&none, empty), (0, 0, 0, 1));
    isolate.manager().set_limit(Some(SIZE - 1));
    assert_eq!(code(isolate.acquire(pool)), Code::Limit);
    assert_eq!(stats(&isolate, pool), (0, 0, 0, 4));
}

#[test]
fn no_owner_sees_what_the_last_one_wrote() {
    for zeroed in [false, true] {
        for zero_on_release in [false, true] {
            let request = Request { zeroed, ..REQUEST };
            let (isolate, pool) = opened(PoolMeasures { request, zero_on_release, ..MEASURES });
            for _ in 0..3 {
                let block = isolate.acquire(pool).unwrap();
                if zeroed {
                    assert_eq!(bytes_of(&isolate, block), vec![0; SIZE as usize]);
                }
                ops::fill(isolate.bytes(block, 0, SIZE).unwrap(), 7);
                isolate.release(pool, block).unwrap();
            }
            let last = isolate.acquire(pool).unwrap();
            let expected = if zeroed || zero_on_release { 0 } else { 7 };
            assert_eq!(bytes_of(&isolate, last), vec![expected; SIZE as usize], "{zeroed} {zero_on_release}");
            assert_eq!(isolate.pool_stats(pool).unwrap().hits, 3);
        }
    }
}

#[test]
fn what_comes_late_into_a_viewed_block_the_next_owner_does_not_see() {
    for zeroed in [false, true] {
        let request = Request { zeroed, ..REQUEST };
        let (isolate, pool) =
            opened(PoolMeasures { request, idle_max: 1, zero_on_release: !zeroed, ..MEASURES });
        let block = isolate.acquire(pool).unwrap();
        isolate.show(block, true).unwrap();
        let late = isolate.bytes(block, 0, SIZE).unwrap(); // what the operating system was given
        isolate.release(pool, block).unwrap();
        ops::fill(late, 9);
        let next = isolate.acquire(pool).unwrap();
        assert_eq!(next.slot, block.slot);
        assert_eq!(bytes_of(&isolate, next), vec![0; SIZE as usize]);
    }
}

#[test]
fn viewed_blocks_wait_first_in_first_out() {
    let (isolate, pool) = opened(PoolMeasures { idle_max: 3, ..MEASURES });
    let mut slots = Vec::new();
    for _ in 0..9 {
        let block = isolate.acquire(pool).unwrap();
        isolate.show(block, true).unwrap();
        slots.push(block.slot);
        isolate.release(pool, block).unwrap();
    }
    assert_eq!(slots.iter().collect::<HashSet<_>>().len(), 3, "three take turns: {slots:?}");
    assert_eq!(slots[..3], slots[3..6]);
    assert_eq!(stats(&isolate, pool), (3, 0, 6, 3));
}

#[test]
fn a_block_that_its_owner_did_not_view_is_the_next_whoever_viewed_it_before() {
    let (isolate, pool) = opened(MEASURES);
    let viewed = isolate.allocate(REQUEST).unwrap();
    isolate.show(viewed, true).unwrap();
    isolate.free(viewed).unwrap();
    let slots: HashSet<_> = (0..300) // past the quarantine
        .map(|_| {
            let block = isolate.allocate(REQUEST).unwrap();
            isolate.show(block, true).unwrap();
            isolate.free(block).unwrap();
            block.slot
        })
        .collect();
    let blocks: Vec<_> = (0..40).map(|_| isolate.acquire(pool).unwrap()).collect();
    assert!(blocks.iter().any(|block| slots.contains(&block.slot)), "none of them was ever viewed");
    blocks.iter().for_each(|block| isolate.release(pool, *block).unwrap());
    let again: HashSet<_> = (0..40).map(|_| isolate.acquire(pool).unwrap().slot).collect();
    assert_eq!(again, blocks.iter().map(|block| block.slot).collect());
    assert_eq!(stats(&isolate, pool), (0, 40, 40, 40));
}

#[test]
fn a_closed_pool_keeps_its_blocks_in_use_valid_until_they_are_freed() {
    let (isolate, pool) = opened(MEASURES);
    let (block, pinned) = (isolate.acquire(pool).unwrap(), isolate.acquire(pool).unwrap());
    let idle = isolate.acquire(pool).unwrap();
    isolate.release(pool, idle).unwrap();
    isolate.pin(pinned).unwrap();
    isolate.close_pool(pool).unwrap();
    for refused in [isolate.acquire(pool).map(|_| ()), isolate.clear_pool(pool), isolate.close_pool(pool)] {
        assert_eq!(code(refused), Code::Closed);
    }
    ops::fill(isolate.bytes(block, 0, SIZE).unwrap(), 7);
    assert_eq!(isolate.manager().pools.name(pool).as_deref(), Some("frames"));
    isolate.free(block).unwrap();
    assert_eq!(code(isolate.free(block)), Code::DoubleFree);
    isolate.unpin(pinned).unwrap();
    isolate.free_any(pinned).unwrap();
    assert_eq!((isolate.manager().pools.name(pool), live_bytes(&isolate)), (None, 0));
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn rows_tell_the_pool_of_a_block_and_whose_it_is() {
    let (isolate, pool) = opened(MEASURES);
    let block = isolate.acquire(pool).unwrap();
    let rows = isolate.manager().rows();
    let owner = rows[0].row.owner;
    assert_eq!((rows.len(), rows[0].row.handle, owner), (1, block, Owner::pool(pool)));
    assert_eq!(isolate.manager().pools.isolate_of(owner), isolate.number());
    isolate.release(pool, block).unwrap();
    assert!(isolate.manager().rows().is_empty());
}

#[test]
fn an_escaped_block_leaves_its_pool_and_comes_back_without_it() {
    let (isolate, pool) = opened(MEASURES);
    let block = isolate.acquire(pool).unwrap();
    let buffer = isolate.show(block, true).unwrap();
    let bytes = isolate.bytes(block, 0, SIZE).unwrap();
    ops::fill(bytes, 7);
    isolate.free_escaped(block).unwrap();
    assert_eq!((stats(&isolate, pool), isolate.manager().escaped_bytes()), ((0, 0, 0, 1), SIZE));
    isolate.close_pool(pool).unwrap();
    isolate.buffer_gone(buffer, |_| false);
    let mut copy = vec![1; SIZE as usize];
    ops::snapshot(bytes, &mut copy).unwrap();
    assert_eq!(copy, vec![0; SIZE as usize], "what the receiver read the next owner must not");
    assert_eq!(isolate.manager().escaped_bytes(), 0);
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn a_dropped_block_is_collected_into_its_pool() {
    let (isolate, pool) = opened(MEASURES);
    let block = isolate.acquire(pool).unwrap();
    let buffer = isolate.show(block, true).unwrap();
    isolate.buffer_gone(buffer, |_| false);
    assert_eq!((stats(&isolate, pool), isolate.manager().collected()), ((1, 0, 0, 1), 1));
}

#[test]
fn an_ended_isolate_leaves_what_may_still_be_seen_and_nothing_else() {
    let manager = manager();
    let isolate = Isolate::open(manager, Some(0)).unwrap();
    let pool = isolate.open_pool("frames", MEASURES).unwrap();
    let blocks: Vec<Handle> = (0..10).map(|_| isolate.acquire(pool).unwrap()).collect();
    isolate.release(pool, blocks[0]).unwrap();
    isolate.show(blocks[1], true).unwrap();
    drop(isolate);
    assert_eq!((manager.tracker.counters.sum().live_blocks(), manager.escaped_bytes()), (0, SIZE));
    assert_eq!(manager.pools.name(pool), None);
    manager.tracker.check().unwrap();
}

#[test]
fn a_block_that_an_ended_isolate_left_is_a_plain_one_of_that_isolate() {
    let manager = manager();
    let isolate = Isolate::open(manager, Some(0)).unwrap();
    let pool = isolate.open_pool("frames", MEASURES).unwrap();
    let block = isolate.acquire(pool).unwrap();
    isolate.show(block, true).unwrap();
    let number = isolate.number();
    drop(isolate);
    let rows = manager.rows();
    assert_eq!((rows.len(), rows[0].row.owner), (1, Owner::block(number)));
}

#[test]
fn another_isolate_cannot_release_a_block() {
    let manager = manager();
    let (owner, other) = (Isolate::open(manager, Some(0)).unwrap(), Isolate::open(manager, Some(0)).unwrap());
    let pool = owner.open_pool("frames", MEASURES).unwrap();
    let block = owner.acquire(pool).unwrap();
    assert_eq!(code(other.release(pool, block)), Code::WrongThread);
    assert_eq!(code(other.free_any(block)), Code::WrongThread);
    assert_eq!(code(other.free(block)), Code::ForeignBlock);
    assert_eq!(stats(&owner, pool), (0, 1, 0, 1));
}

/// Any sequence of steps on two pools and plain blocks, against plain sets.
#[test]
fn pools_do_what_their_model_does() {
    for seed in 0..40_u64 {
        let mut state = seed;
        let mut below = move |limit: u64| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) % limit
        };
        let isolate = isolate();
        let (idle_max, limit) = (below(6), 1 + below(12));
        let measures = PoolMeasures { idle_max, limit, ..MEASURES };
        let pools = [0, 1].map(|_| isolate.open_pool("model", measures).unwrap());
        let mut held: [Vec<Handle>; 2] = [Vec::new(), Vec::new()];
        let (mut dead, mut acquired) = (Vec::new(), [0, 0]);
        for _ in 0..400 {
            let which = below(2) as usize;
            let (pool, mine) = (pools[which], &mut held[which]);
            let any = below(mine.len().max(1) as u64) as usize;
            match below(10) {
                0..=4 => match isolate.acquire(pool) {
                    Ok(block) => {
                        assert!(!dead.contains(&block), "seed {seed}: a handle comes twice");
                        if below(3) == 0 {
                            isolate.show(block, true).unwrap();
                        }
                        mine.push(block);
                        acquired[which] += 1;
                    }
                    Err(refused) => {
                        assert_eq!((refused.code, mine.len() as u64), (Code::Limit, limit), "seed {seed}");
                    }
                },
                5..=7 if !mine.is_empty() => {
                    let block = mine.swap_remove(any);
                    if below(2) == 0 { isolate.release(pool, block) } else { isolate.free_any(block) }
                        .unwrap();
                    dead.push(block);
                }
                8 if !dead.is_empty() => {
                    let block = dead[below(dead.len() as u64) as usize];
                    assert_eq!(code(isolate.release(pool, block)), Code::DoubleFree, "seed {seed}");
                }
                9 if below(10) == 0 => isolate.clear_pool(pool).unwrap(),
                _ => {}
            }
            for which in [0, 1] {
                let (available, in_use, hits, misses) = stats(&isolate, pools[which]);
                assert_eq!(
                    (in_use, hits + misses),
                    (held[which].len() as u64, acquired[which]),
                    "seed {seed}"
                );
                assert!(available <= idle_max, "seed {seed}");
            }
            let all: HashSet<_> = held.iter().flatten().map(|block| block.slot).collect();
            assert_eq!(all.len(), held[0].len() + held[1].len(), "seed {seed}: one block has two owners");
            assert_eq!(live_bytes(&isolate), SIZE * all.len() as u64, "seed {seed}");
        }
    }
}
