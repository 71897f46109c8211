//! Pools, as a native call finds them.

use std::hint::black_box;

use offheap_core::manager::{Isolate, PoolMeasures};
use offheap_core::tracker::state::Handle;

use crate::{ALIVE, Order, Row, Scene, isolate, request};

pub const ROWS: &[Row] =
    &[("pool 1 KiB, LIFO", lifo), ("pool 1 KiB, 1024 alive, replaced in random order", alive)];

fn pool(isolate: &Isolate) -> u32 {
    let measures =
        PoolMeasures { request: request(1 << 10), idle_max: 64, limit: u64::MAX, zero_on_release: false };
    isolate.open_pool("counted", measures).expect("there is room")
}

fn expect_in_use(isolate: &Isolate, pool: u32, blocks: u64) {
    let stats = isolate.pool_stats(pool).expect("it is open");
    assert_eq!(stats.in_use, blocks);
    isolate.manager().tracker.check().expect("the records agree");
}

fn lifo() -> Scene {
    let isolate = isolate();
    let pool = pool(isolate);
    let run = move |operations| {
        for _ in 0..operations {
            let handle = isolate.acquire(black_box(pool)).expect("there is room");
            isolate.release(pool, black_box(handle)).expect("it lives");
        }
    };
    Scene::new(run, move || expect_in_use(isolate, pool, 0))
}

fn alive() -> Scene {
    let isolate = isolate();
    let pool = pool(isolate);
    let mut blocks: Vec<Handle> = (0..ALIVE).map(|_| isolate.acquire(pool).expect("there is room")).collect();
    let mut order = Order::new();
    let run = move |operations| {
        for _ in 0..operations {
            let block = &mut blocks[order.next()];
            isolate.release(pool, *block).expect("it lives");
            *block = isolate.acquire(black_box(pool)).expect("there is room");
        }
    };
    Scene::new(run, move || expect_in_use(isolate, pool, ALIVE as u64))
}
