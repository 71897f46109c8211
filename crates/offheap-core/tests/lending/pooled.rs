//! Magazines of pools.

use super::script::Script;
use super::world::read;
use super::{lending, manager, plain, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::{Isolate, PoolMeasures, PoolStats};
use offheap_core::ops;
use offheap_core::tracker::state::Handle;

const SIZE: u64 = 1000;
pub const MEASURES: PoolMeasures =
    PoolMeasures { request: plain(SIZE), idle_max: 50, limit: u64::MAX, zero_on_release: false };

fn opened(measures: PoolMeasures) -> (Isolate, u32) {
    let isolate = lending(manager());
    let pool = isolate.open_pool("frames", measures).unwrap();
    (isolate, pool)
}

/// Available, in use, hits, misses.
fn figures(isolate: &Isolate, pool: u32) -> (u64, u64, u64, u64) {
    isolate.manager().tracker.check().unwrap();
    let PoolStats { available, in_use, hits, misses } = isolate.pool_stats(pool).unwrap();
    (available, in_use, hits, misses)
}

#[test]
fn a_pool_counts_what_its_script_takes_and_gives() {
    let (isolate, pool) = opened(MEASURES);
    let script = Script::new(&isolate);
    let blocks = [(); 3].map(|()| script.acquire(pool, SIZE).unwrap());
    assert_eq!(figures(&isolate, pool), (0, 3, 0, 3));
    blocks.into_iter().for_each(|block| assert!(script.give(block, SIZE)));
    assert_eq!(figures(&isolate, pool), (3, 0, 0, 3));
    let [one, other] = [(); 2].map(|()| script.take_pooled(pool, SIZE).unwrap());
    assert_eq!(figures(&isolate, pool), (1, 2, 2, 3));
    isolate.pin(one).unwrap();
    isolate.show(other, true).unwrap();
    assert_eq!(figures(&isolate, pool), (1, 2, 2, 3), "adopted blocks count as before");
    isolate.unpin(one).unwrap();
    script.release(pool, one, SIZE).unwrap();
    script.release(pool, other, SIZE).unwrap();
    assert_eq!(figures(&isolate, pool), (3, 0, 2, 3));
    assert_eq!(isolate.acquire(pool).map(|_| figures(&isolate, pool)), Ok((2, 1, 3, 3)));
    isolate.clear_pool(pool).unwrap();
    assert_eq!(figures(&isolate, pool), (0, 1, 3, 3));
    assert_eq!(stats(isolate.manager()).current_allocated, SIZE);
}

#[test]
fn while_somebody_waits_a_script_neither_takes_nor_gives() {
    let (isolate, pool) = opened(MEASURES);
    let script = Script::new(&isolate);
    let blocks = [(); 4].map(|()| script.acquire(pool, SIZE).unwrap());
    assert!(script.give(blocks[0], SIZE) && script.give(blocks[1], SIZE));
    isolate.gate_pool(pool, true).unwrap();
    assert_eq!((script.take_pooled(pool, SIZE), isolate.refill_pool(pool)), (None, false));
    assert!(!script.give(blocks[2], SIZE), "who waits must hear of it");
    isolate.release(pool, blocks[2]).unwrap();
    assert_eq!((script.take_pooled(pool, SIZE), figures(&isolate, pool)), (None, (3, 1, 0, 4)));
    assert_eq!(isolate.acquire(pool).unwrap().slot, blocks[2].slot, "the native side has all of them");
    isolate.gate_pool(pool, false).unwrap();
    assert!(isolate.refill_pool(pool), "what lay behind the magazine is in it again");
    assert!(script.take_pooled(pool, SIZE).is_some() && script.give(blocks[3], SIZE));
    assert_eq!(figures(&isolate, pool), (2, 2, 2, 4));
}

#[test]
fn what_was_written_is_zeroed_by_the_native_side_before_anybody_has_it() {
    for (zeroed, zero_on_release) in [(true, false), (false, true), (true, true)] {
        let request = offheap_core::manager::Request { zeroed, ..plain(SIZE) };
        let (isolate, pool) = opened(PoolMeasures { request, zero_on_release, ..MEASURES });
        let script = Script::new(&isolate);
        for natively in [false, true] {
            let block = script.acquire(pool, SIZE).unwrap();
            let bytes = if natively {
                isolate.bytes(block, 0, SIZE).unwrap()
            } else {
                script.touch(block.slot, SIZE)
            };
            ops::fill(bytes, 7);
            assert!(!script.give(block, SIZE), "it was written to");
            script.release(pool, block, SIZE).unwrap();
            let next = script.acquire(pool, SIZE).unwrap();
            assert_eq!(
                (next.slot, read(script.peek(next.slot, SIZE), SIZE)),
                (block.slot, vec![0; SIZE as usize])
            );
            assert!(script.give(next, SIZE), "nothing was written to it since");
        }
    }
    let (isolate, pool) = opened(MEASURES);
    let script = Script::new(&isolate);
    let block = script.acquire(pool, SIZE).unwrap();
    ops::fill(script.touch(block.slot, SIZE), 7);
    assert!(script.give(block, SIZE), "nobody asked for zeros");
}

#[test]
fn a_script_keeps_no_more_idle_blocks_than_the_pool_and_takes_no_more_than_its_limit() {
    let (isolate, pool) = opened(PoolMeasures { idle_max: 2, limit: 4, ..MEASURES });
    let script = Script::new(&isolate);
    for _ in 0..3 {
        let mut blocks: Vec<Handle> = Vec::new();
        let refused = loop {
            match script.acquire(pool, SIZE) {
                Ok(block) => blocks.push(block),
                Err(refused) => break refused,
            }
        };
        assert_eq!((refused.code, refused.requested, blocks.len()), (Code::Limit, 0, 4));
        let given = blocks.iter().filter(|block| script.give(**block, SIZE)).count();
        assert_eq!((given, isolate.pool_stats(pool).unwrap().available), (2, 2));
        for block in blocks {
            let _ = isolate.release(pool, block);
        }
        assert_eq!(isolate.pool_stats(pool).map(|told| (told.available, told.in_use)), Ok((2, 0)));
    }
    // What was viewed waits behind the magazine, and counts as idle as well.
    let (isolate, pool) = opened(PoolMeasures { idle_max: 2, ..MEASURES });
    let script = Script::new(&isolate);
    let [shown, one, other] = [(); 3].map(|()| script.acquire(pool, SIZE).unwrap());
    isolate.show(shown, true).unwrap();
    script.release(pool, shown, SIZE).unwrap();
    assert!(script.give(one, SIZE) && !script.give(other, SIZE));
    isolate.release(pool, other).unwrap();
    assert_eq!(figures(&isolate, pool), (2, 0, 0, 3));
    let (isolate, pool) = opened(PoolMeasures { idle_max: 0, ..MEASURES });
    let block = isolate.acquire(pool).unwrap();
    assert!(!Script::new(&isolate).give(block, SIZE));
    isolate.release(pool, block).unwrap();
    assert_eq!(figures(&isolate, pool), (0, 0, 0, 1));
}

#[test]
fn a_magazine_is_another_pools_when_the_last_block_of_the_first_has_gone() {
    let (isolate, first) = opened(MEASURES);
    let (script, home) = (Script::new(&isolate), isolate.magazine_of(first).unwrap());
    let [block, idle] = [(); 2].map(|()| script.acquire(first, SIZE).unwrap());
    script.release(first, idle, SIZE).unwrap();
    isolate.close_pool(first).unwrap();
    assert!(!script.give(block, SIZE), "nothing goes into the magazine of a closed pool");
    let meanwhile = isolate.open_pool("meanwhile", MEASURES).unwrap();
    assert_ne!(isolate.magazine_of(meanwhile).unwrap(), home, "a block still belongs to it");
    isolate.free(block).unwrap();
    let later = isolate.open_pool("later", PoolMeasures { request: plain(50), ..MEASURES }).unwrap();
    assert_eq!(isolate.magazine_of(later).unwrap(), home);
    let other = script.acquire(later, 50).unwrap();
    assert!(script.give(other, 50));
    assert_eq!(figures(&isolate, later), (1, 0, 0, 1));
    let told = stats(isolate.manager());
    assert_eq!((told.total_allocated, told.total_freed), (2 * SIZE + 50, 2 * SIZE + 50));
}

#[test]
fn pools_without_a_magazine_work_without_one() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let pools: Vec<u32> = (0..800).map(|_| isolate.open_pool("many", MEASURES).unwrap()).collect();
    let without = pools.iter().filter(|pool| isolate.magazine_of(**pool) == Ok(0)).count();
    assert_eq!(without, 800 - (818 - 40), "a table has so many");
    for pool in pools {
        let block = script.acquire(pool, SIZE).unwrap();
        script.release(pool, block, SIZE).unwrap();
        let again = script.acquire(pool, SIZE).unwrap();
        assert_eq!((again.slot, figures_of(&isolate, pool)), (block.slot, (0, 1, 1, 1)));
        isolate.close_pool(pool).unwrap();
    }
}

#[test]
fn pools_of_large_blocks_have_magazines_as_long_as_all_of_them_are_less_than_a_gibibyte() {
    const MIB: u64 = 1 << 20;
    let isolate = lending(manager());
    let open = |size| {
        let pool = isolate.open_pool("large", PoolMeasures { request: plain(size), ..MEASURES }).unwrap();
        (pool, isolate.magazine_of(pool) != Ok(0))
    };
    assert!(!open(MIB + 1).1, "what a native call costs is nothing next to the use of so much");
    let pools: Vec<(u32, bool)> = (0..18).map(|_| open(MIB)).collect();
    let with = pools.iter().filter(|(_, has_magazine)| *has_magazine).count();
    assert_eq!(with, 16, "64 MiB each");
    assert!(!open(64 << 10).1 && pools[0].1);
    let block = isolate.acquire(pools[17].0).unwrap();
    isolate.release(pools[17].0, block).unwrap();
    isolate.close_pool(pools[0].0).unwrap();
    assert!(open(512 << 10).1 && open(512 << 10).1 && !open(512 << 10).1);
}

/// As [`figures`], without a look at everything.
fn figures_of(isolate: &Isolate, pool: u32) -> (u64, u64, u64, u64) {
    let PoolStats { available, in_use, hits, misses } = isolate.pool_stats(pool).unwrap();
    (available, in_use, hits, misses)
}

#[test]
fn with_a_limit_a_pools_script_asks_and_the_limit_is_exact() {
    let (isolate, pool) = opened(MEASURES);
    let script = Script::new(&isolate);
    let blocks = [(); 3].map(|()| script.acquire(pool, SIZE).unwrap());
    blocks.into_iter().for_each(|block| assert!(script.give(block, SIZE)));
    isolate.manager().set_limit(Some(2 * SIZE));
    assert_eq!(script.take_pooled(pool, SIZE), None);
    let held = [(); 2].map(|()| script.acquire(pool, SIZE).unwrap());
    let refused = script.acquire(pool, SIZE).unwrap_err();
    assert_eq!((refused.code, refused.requested, refused.available), (Code::Limit, SIZE, 0));
    assert_eq!(figures(&isolate, pool), (1, 2, 2, 3));
    isolate.manager().set_limit(None);
    held.into_iter().for_each(|block| script.release(pool, block, SIZE).unwrap());
    assert_eq!(figures(&isolate, pool), (3, 0, 2, 3));
}
