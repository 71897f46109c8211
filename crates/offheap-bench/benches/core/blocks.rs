//! Memory from request to free, without Node: the isolate's pair, and regions below it.
//!
//! Each body is asserted once before it is timed. No block is written: page faults belong to whoever
//! writes. The random case keeps 200 blocks alive and replaces one at random; its body includes a
//! generator's step (1 ns).

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group};
use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::raw;
use offheap_core::raw::region::Region;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

const SIZES: [(&str, u64); 4] = [("64B", 64), ("1KiB", 1 << 10), ("64KiB", 64 << 10), ("1MiB", 1 << 20)];
const ALIVE: usize = 200;

fn isolate() -> Isolate {
    let manager: &'static Manager = Box::leak(Box::default());
    Isolate::open(manager, Some(0)).unwrap()
}

fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

fn pairs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("isolate/allocate + free");
    for (label, size) in SIZES {
        let isolate = isolate();
        let handle = isolate.allocate(request(size)).unwrap();
        assert!(
            isolate.bytes(handle, 0, size).is_ok()
                && isolate.free(handle).is_ok()
                && isolate.free(handle).is_err()
        );
        group.bench_function(BenchmarkId::new("LIFO", label), |bencher| {
            bencher.iter(|| {
                let handle = isolate.allocate(request(black_box(size))).unwrap();
                isolate.free(black_box(handle)).unwrap();
            });
        });

        let mut alive: Vec<Handle> = (0..ALIVE).map(|_| isolate.allocate(request(size)).unwrap()).collect();
        let mut random = 1_u64;
        group.bench_function(BenchmarkId::new("200 alive, random", label), |bencher| {
            bencher.iter(|| {
                random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                let any = &mut alive[(((random >> 32) * ALIVE as u64) >> 32) as usize];
                isolate.free(*any).unwrap();
                *any = isolate.allocate(request(black_box(size))).unwrap();
            });
        });
        assert!(isolate.manager().tracker.check().is_ok());
    }
    group.finish();
}

fn limited(criterion: &mut Criterion) {
    let isolate = isolate();
    isolate.manager().set_limit(Some(1 << 20));
    assert!(isolate.allocate(request(2 << 20)).is_err());
    criterion.bench_function("isolate/allocate + free under a limit/64B", |bencher| {
        bencher.iter(|| {
            let handle = isolate.allocate(request(black_box(64))).unwrap();
            isolate.free(black_box(handle)).unwrap();
        });
    });
}

fn reallocations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("isolate/reallocate");
    for (label, sizes) in [("in place, 1000B", [1000, 1001]), ("moving, 64B and 1KiB", [64, 1024])] {
        let isolate = isolate();
        let mut handle = isolate.allocate(request(sizes[0])).unwrap();
        let mut turn = 0;
        group.bench_function(label, |bencher| {
            bencher.iter(|| {
                turn ^= 1;
                handle = isolate.reallocate(handle, black_box(sizes[turn])).unwrap();
            });
        });
    }
    group.finish();
}

fn regions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("region");
    for (label, size) in [("64KiB", 64_usize << 10), ("1MiB", 1 << 20), ("64MiB", 64 << 20)] {
        let alignment = raw::page_size();
        group.bench_function(BenchmarkId::new("reserve + commit + discard", label), |bencher| {
            bencher.iter(|| {
                let region = Region::reserve(black_box(size), alignment).unwrap();
                assert_eq!(region.commit_to(size), Some(size));
                region.discard(alignment);
            });
        });
        let region = Region::reserve(size, alignment).unwrap();
        assert_eq!(region.commit_to(size), Some(size));
        assert!(region.bytes(0, size).is_some() && region.bytes(0, size + 1).is_none());
        group.bench_function(BenchmarkId::new("decommit, untouched", label), |bencher| {
            bencher.iter(|| region.decommit(0, black_box(size)));
        });
        let bytes = region.bytes(0, size).unwrap();
        group.bench_function(BenchmarkId::new("write + decommit", label), |bencher| {
            bencher.iter(|| {
                offheap_core::ops::fill(bytes, 1);
                region.decommit(0, black_box(size))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = pairs, limited, reallocations, regions
}
