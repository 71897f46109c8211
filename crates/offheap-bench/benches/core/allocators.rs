//! The six allocators through an isolate: what a Rust program pays for a pair of allocate and free, its
//! record included.
//!
//! `lifo` takes one grant and frees it; `1024 alive` frees one of 1024 at random and takes another.
//! Each allocator is checked before and after it is timed. An arena is reset when it is full: the
//! pair's figure includes its share of that.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

const ALIVE: usize = 1024;
const TOTAL_BYTES: u64 = 64 << 20;

/// Name, kind and bytes of a request.
const CASES: [(&str, Kind, u64); 8] = [
    ("slab 128 B", Kind::Slab, 128),
    ("arena 64 B", Kind::Arena, 64),
    ("object pool 1 KiB", Kind::ObjectPool, 1024),
    ("ring 1 KiB", Kind::Ring, 1024),
    ("buddy 256 B", Kind::Buddy, 256),
    ("buddy 4 KiB", Kind::Buddy, 4096),
    ("hybrid 128 B", Kind::Hybrid, 128),
    ("hybrid 32 KiB", Kind::Hybrid, 32 << 10),
];

struct Bench {
    isolate: Isolate,
    id: AllocatorId,
    size: u64,
}

impl Bench {
    fn new(kind: Kind, size: u64) -> Self {
        let manager: &'static Manager = Box::leak(Box::default());
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        let measures =
            Measures { kind, total: TOTAL_BYTES, alignment: AlignmentCode::NONE, overwrite: false };
        let id = isolate.open_allocator("bench", measures).unwrap();
        Self { isolate, id, size }
    }

    /// What its owner keeps of a grant.
    fn take(&self) -> Handle {
        let taken = match self.isolate.allocate_in(self.id, black_box(self.size), Label::NONE) {
            Ok(taken) => taken,
            Err(refused) => {
                assert_eq!(refused.code, Code::RegionFull);
                self.isolate.reset_allocator(self.id).unwrap();
                self.isolate.allocate_in(self.id, self.size, Label::NONE).unwrap()
            }
        };
        black_box(taken.offset);
        taken.handle
    }

    /// After a reset an arena's handles are over, which is what their owners find.
    fn give(&self, handle: Handle) {
        let freed = self.isolate.free_in(self.id, handle, self.size);
        debug_assert!(freed.is_ok() || freed.is_err_and(|error| error.code == Code::UseAfterFree));
    }

    fn check(&self, blocks: u64) {
        let allocator = self.isolate.manager().allocators.get(self.id).unwrap();
        allocator.check().unwrap();
        assert!(allocator.stats(self.isolate.manager()).blocks <= blocks);
    }
}

fn lifo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocators/lifo");
    for (name, kind, size) in CASES {
        let bench = Bench::new(kind, size);
        bench.give(bench.take());
        bench.check(0);
        group.bench_function(name, |bencher| bencher.iter(|| bench.give(black_box(bench.take()))));
        bench.check(0);
    }
    group.finish();
}

fn random(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocators/1024 alive");
    for (name, kind, size) in CASES {
        let bench = Bench::new(kind, size);
        let mut alive: Vec<Handle> = (0..ALIVE).map(|_| bench.take()).collect();
        bench.check(ALIVE as u64);
        let mut state = 1_u64;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                let index = (state >> 33) as usize % ALIVE;
                bench.give(alive[index]);
                alive[index] = bench.take();
            });
        });
        bench.check(ALIVE as u64);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = lifo, random
}
