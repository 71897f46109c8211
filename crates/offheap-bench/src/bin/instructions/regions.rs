//! The six allocators through an isolate, as a native call finds them.

use std::hint::black_box;
use std::time::Duration;

use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

use crate::{ALIVE, Order, Row, Scene, isolate};

pub const ROWS: &[Row] = &[
    ("slab 128 B, LIFO", || lifo(Kind::Slab, 128)),
    ("slab 128 B, 1024 alive, replaced in random order", || alive(Kind::Slab, 128)),
    ("object pool 1 KiB, LIFO", || lifo(Kind::ObjectPool, 1 << 10)),
    ("object pool 1 KiB, 1024 alive, replaced in random order", || alive(Kind::ObjectPool, 1 << 10)),
    ("buddy 256 B, LIFO", || lifo(Kind::Buddy, 256)),
    ("buddy 4 KiB, LIFO", || lifo(Kind::Buddy, 4 << 10)),
    ("buddy 4 KiB, 1024 alive, replaced in random order", || alive(Kind::Buddy, 4 << 10)),
    ("hybrid 128 B, LIFO", || lifo(Kind::Hybrid, 128)),
    ("hybrid 32 KiB, LIFO", || lifo(Kind::Hybrid, 32 << 10)),
    ("hybrid 32 KiB, 1024 alive, replaced in random order", || alive(Kind::Hybrid, 32 << 10)),
    ("ring 256 B, LIFO", || lifo(Kind::Ring, 256)),
    ("ring 256 B, 8 in flight", ring),
    ("arena 64 B, reset each 1024", arena),
];

/// Bytes of each region.
const TOTAL: u64 = 64 << 20;

/// An allocator that its isolate has alone, as most programs' isolates do.
#[derive(Clone, Copy)]
struct Region {
    isolate: &'static Isolate,
    id: AllocatorId,
}

impl Region {
    fn open(kind: Kind) -> Self {
        let measures = Measures { kind, total: TOTAL, alignment: AlignmentCode::NONE, overwrite: false };
        let isolate = isolate();
        // The first allocator of a process has a thread ask the system for its fence; from then on the answer is known.
        isolate.open_allocator("first", measures).expect("there is room");
        wait_alone();
        Self { isolate, id: isolate.open_allocator("counted", measures).expect("there is room") }
    }

    fn take(self, size: u64) -> Handle {
        let taken = self.isolate.allocate_in(self.id, size, Label::NONE).expect("there is room");
        black_box(taken.offset);
        taken.handle
    }

    fn give(self, handle: Handle, size: u64) {
        self.isolate.free_in(self.id, handle, size).expect("it lives");
    }

    fn expect_blocks(self, blocks: u64) {
        let allocator = self.isolate.manager().allocators.get(self.id).expect("it is open");
        allocator.check().expect("it is in order");
        assert_eq!(allocator.stats(self.isolate.manager()).blocks, blocks);
    }
}

/// Returns when the process has no other thread.
fn wait_alone() {
    while std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn lifo(kind: Kind, size: u64) -> Scene {
    let region = Region::open(kind);
    let run = move |operations| {
        for _ in 0..operations {
            let handle = region.take(black_box(size));
            region.give(black_box(handle), size);
        }
    };
    Scene::new(run, move || region.expect_blocks(0))
}

fn alive(kind: Kind, size: u64) -> Scene {
    let region = Region::open(kind);
    let mut grants: Vec<Handle> = (0..ALIVE).map(|_| region.take(size)).collect();
    let mut order = Order::new();
    let run = move |operations| {
        for _ in 0..operations {
            let grant = &mut grants[order.next()];
            region.give(*grant, size);
            *grant = region.take(black_box(size));
        }
    };
    Scene::new(run, move || region.expect_blocks(ALIVE as u64))
}

/// As a queue: what was taken first is freed first.
fn ring() -> Scene {
    const SIZE: u64 = 256;
    let region = Region::open(Kind::Ring);
    let mut flying = [(); 8].map(|()| region.take(SIZE));
    let run = move |operations| {
        for operation in 0..operations {
            let grant = &mut flying[operation as usize % 8];
            region.give(*grant, SIZE);
            *grant = region.take(black_box(SIZE));
        }
    };
    Scene::new(run, move || region.expect_blocks(8))
}

/// A reset's part of what it costs is in each operation.
fn arena() -> Scene {
    const SIZE: u64 = 64;
    let region = Region::open(Kind::Arena);
    let run = move |operations| {
        for _ in 0..operations / 1024 {
            for _ in 0..1024 {
                black_box(region.take(black_box(SIZE)));
            }
            region.isolate.reset_allocator(region.id).expect("nothing is pinned");
        }
    };
    Scene::new(run, move || region.expect_blocks(0))
}
