//! The strategies alone: offsets, without a record. The allocators mostly hand out again what waits with its record, so
//! their scenes seldom come here.

use std::hint::black_box;

use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::hybrid::Hybrid;
use offheap_core::alloc::object_pool::ObjectPool;
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::slab::Slab;
use offheap_core::alloc::strategy::Strategy;
use offheap_core::base::error::Result;

use crate::{ALIVE, Order, Row, Scene};

pub const ROWS: &[Row] = &[
    ("slab alone 128 B, LIFO", || lifo(Slab::new, 128)),
    ("slab alone 128 B, 1024 alive, replaced in random order", || alive(Slab::new, 128)),
    ("object pool alone 1 KiB, 1024 alive, replaced in random order", || alive(ObjectPool::new, 1 << 10)),
    ("buddy alone 256 B, 1024 alive, replaced in random order", || alive(Buddy::new, 256)),
    ("buddy alone 4 KiB, LIFO", || lifo(Buddy::new, 4 << 10)),
    ("buddy alone 4 KiB, 1024 alive, replaced in random order", || alive(Buddy::new, 4 << 10)),
    ("buddy alone 64 KiB, LIFO", || lifo(Buddy::new, 64 << 10)),
    ("hybrid alone 64 KiB, LIFO", || lifo(Hybrid::new, 64 << 10)),
    ("hybrid alone 30,000 B, 1024 alive, replaced in random order", || alive(Hybrid::new, 30_000)),
    ("ring alone 256 B, LIFO", || lifo(Ring::new, 256)),
];

const TOTAL: u64 = 64 << 20;

/// A new strategy over [`TOTAL`] bytes.
fn make<S: Strategy>(new: fn(u64, u64) -> Result<S>) -> &'static S {
    Box::leak(Box::new(new(TOTAL, 16).expect("there is memory for it")))
}

fn expect_blocks(strategy: &impl Strategy, blocks: u64) {
    strategy.check().expect("it is in order");
    assert_eq!(strategy.usage().blocks, blocks);
}

fn lifo<S: Strategy + 'static>(new: fn(u64, u64) -> Result<S>, size: u64) -> Scene {
    let strategy = make(new);
    let run = move |operations| {
        for _ in 0..operations {
            let grant = strategy.allocate(black_box(size)).expect("there is room");
            strategy.free(black_box(grant.offset)).expect("it is granted");
        }
    };
    Scene::new(run, || expect_blocks(strategy, 0))
}

fn alive<S: Strategy + 'static>(new: fn(u64, u64) -> Result<S>, size: u64) -> Scene {
    let strategy = make(new);
    let take = move || strategy.allocate(black_box(size)).expect("there is room").offset;
    let mut offsets: Vec<u64> = (0..ALIVE).map(|_| take()).collect();
    let mut order = Order::new();
    let run = move |operations| {
        for _ in 0..operations {
            let offset = &mut offsets[order.next()];
            strategy.free(*offset).expect("it is granted");
            *offset = take();
        }
    };
    Scene::new(run, || expect_blocks(strategy, ALIVE as u64))
}
