//! Blocks through an isolate, as a native call finds it.

use std::hint::black_box;

use offheap_core::alloc::chunks::classes;
use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::report;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::state::Handle;

use crate::{ALIVE, Order, Row, Scene, isolate, request};

pub const ROWS: &[Row] = &[
    ("block 64 B, LIFO", || lifo(request(64))),
    ("block 64 B, zeroed, LIFO", || lifo(Request { zeroed: true, ..request(64) })),
    ("block 1 KiB, LIFO", || lifo(request(1 << 10))),
    ("block 1 KiB, 1024 alive, replaced in random order", || alive(1 << 10)),
    ("block 64 KiB, LIFO", || lifo(request(64 << 10))),
    ("block 64 KiB, 1024 alive, replaced in random order", || alive(64 << 10)),
    ("block 1 MiB, LIFO", || lifo(request(1 << 20))),
    ("block 64 B under a limit, LIFO", limited),
    ("block 64 B, refilled and spilled, 512 at a time", lent),
    ("block, reallocated in place", || reallocated([1000, 1001])),
    ("block, reallocated to another place", || reallocated([64, 1024])),
    ("block, pin and unpin", pinned),
    ("block, row of a report", reported),
];

fn allocate(isolate: &Isolate, request: Request) -> Handle {
    isolate.allocate(request).expect("there is room")
}

/// The figures of an isolate's manager: live blocks and bytes, and whether its records agree.
fn expect_live(isolate: &Isolate, blocks: u64, bytes: u64) {
    let manager = isolate.manager();
    manager.tracker.check().expect("the records agree");
    let stats = report::stats(&manager.tracker, &manager.chunks);
    assert_eq!((stats.active_blocks, stats.current_allocated), (blocks, bytes));
}

fn lifo(request: Request) -> Scene {
    lifo_in(isolate(), request)
}

fn lifo_in(isolate: &'static Isolate, request: Request) -> Scene {
    let run = move |operations| {
        for _ in 0..operations {
            let handle = allocate(isolate, black_box(request));
            isolate.free(black_box(handle)).expect("it lives");
        }
    };
    Scene::new(run, || expect_live(isolate, 0, 0))
}

fn alive(size: u64) -> Scene {
    let isolate = isolate();
    let mut blocks: Vec<Handle> = (0..ALIVE).map(|_| allocate(isolate, request(size))).collect();
    let mut order = Order::new();
    let run = move |operations| {
        for _ in 0..operations {
            let block = &mut blocks[order.next()];
            isolate.free(*block).expect("it lives");
            *block = allocate(isolate, request(black_box(size)));
        }
    };
    Scene::new(run, move || expect_live(isolate, ALIVE as u64, ALIVE as u64 * size))
}

fn limited() -> Scene {
    let isolate = isolate();
    isolate.manager().set_limit(Some(1 << 20));
    assert!(isolate.allocate(request(2 << 20)).is_err());
    lifo_in(isolate, request(64))
}

/// Blocks that the isolate's script hands out and takes back by itself, so many at a time that each of them is lent, spilled, and lent
/// again by native calls. The script's own stores are the table's, which take about as many instructions here as there.
fn lent() -> Scene {
    const SIZE: u64 = 64;
    let manager: &'static Manager = Box::leak(Box::default());
    let isolate: &'static Isolate =
        Box::leak(Box::new(Isolate::open_lending(manager, None, true).expect("the system has memory")));
    isolate.table.set_word(word::CLOCK, 1); // it stands: no thread writes the time meanwhile
    let magazine = usize::from(classes::class_for(SIZE, 8).expect("a class"));
    let mut taken = Vec::with_capacity(512);
    let run = move |operations| {
        for _ in 0..operations / 512 {
            for _ in 0..512 {
                if isolate.table.magazine_length(magazine) == 0 {
                    assert!(isolate.refill(request(SIZE)));
                }
                let slot = isolate.table.unload_newest(magazine).expect("it was filled");
                taken.push(isolate.table.begin(slot, magazine, Some(SIZE)).expect("it has words"));
            }
            for handle in taken.drain(..) {
                if isolate.table.magazine_length(magazine) < isolate.table.capacity(magazine) {
                    isolate.table.end(handle, magazine, SIZE);
                    isolate.table.load(magazine, handle.slot);
                } else {
                    isolate.free(handle).expect("it lives");
                }
            }
        }
    };
    Scene::new(run, || expect_live(isolate, 0, 0))
}

fn reallocated(sizes: [u64; 2]) -> Scene {
    let isolate = isolate();
    let mut handle = allocate(isolate, request(sizes[0]));
    let mut turn = 0;
    let run = move |operations| {
        for _ in 0..operations {
            turn ^= 1;
            handle = isolate.reallocate(handle, black_box(sizes[turn])).expect("it lives");
        }
    };
    Scene::new(run, move || expect_live(isolate, 1, sizes[0]))
}

fn pinned() -> Scene {
    let isolate = isolate();
    let handle = allocate(isolate, request(64));
    let run = move |operations| {
        for _ in 0..operations {
            isolate.pin(black_box(handle)).expect("it lives");
            isolate.unpin(black_box(handle)).expect("it is pinned");
        }
    };
    Scene::new(run, move || {
        assert!(isolate.pin(handle).is_ok() && isolate.free(handle).is_err());
        isolate.unpin(handle).expect("it is pinned");
    })
}

/// An operation is one row of a report over [`ALIVE`] live blocks.
fn reported() -> Scene {
    let isolate = isolate();
    let blocks: Vec<Handle> = (0..ALIVE).map(|_| allocate(isolate, request(64))).collect();
    let manager = isolate.manager();
    let run = move |operations| {
        for _ in 0..operations / ALIVE as u64 {
            black_box(report::rows(&manager.tracker, &manager.chunks));
        }
    };
    Scene::new(run, move || {
        let rows = report::rows(&manager.tracker, &manager.chunks);
        assert!(rows.iter().map(|info| info.row.handle).eq(blocks.iter().copied()));
    })
}
