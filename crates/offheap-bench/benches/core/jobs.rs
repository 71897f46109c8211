//! Long operations in pieces, as `copyMemoryAsync` and its like do them: by the calling thread alone, and by two.
//!
//! The second thread is started each time (some 20 µs), where Node's are woken. Both ends' pages were written before.

use std::cmp::Ordering;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use offheap_core::ops::job::Job;
use offheap_core::ops::{CopyMode, Element, Pattern};
use offheap_core::raw::bytes::Bytes;

/// A few pieces, and many.
const SIZES: [(&str, usize); 2] = [("16MiB", 16 << 20), ("64MiB", 64 << 20)];

/// Works at a job to its end.
fn run(job: &Job<'_>, threads: usize) {
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| job.run());
        }
        job.run();
    });
}

/// A job, from two ranges.
type Make = for<'a> fn(Bytes<'a>, Bytes<'a>) -> Job<'a>;
/// What must be so afterwards.
type Check = fn(Ordering, &[u8], &[u8]) -> bool;

const OPERATIONS: [(&str, Make, Check); 4] = [
    (
        "copy",
        |target, source| Job::copy(target, source, CopyMode::Normal).unwrap(),
        |_, target, source| target == source,
    ),
    (
        "swap8",
        |target, source| Job::copy(target, source, CopyMode::SwapEndian(Element::E8)).unwrap(),
        |_, target, source| target.chunks(8).flat_map(|word| word.iter().rev()).eq(source),
    ),
    (
        "fill-pattern4",
        |target, _| Job::fill(target, Pattern::repeated(&[1, 2, 3, 4]).unwrap()),
        |_, target, _| target.chunks(4).all(|word| word == [1, 2, 3, 4]),
    ),
    (
        "compare",
        |one, other| Job::compare(one, other).unwrap(),
        |order, one, other| order == Ordering::Equal && one == other,
    ),
];

fn jobs(criterion: &mut Criterion) {
    for (name, make, check) in OPERATIONS {
        let mut group = criterion.benchmark_group(format!("job/{name}"));
        for (label, size) in SIZES {
            let mut source: Vec<u8> = (0..size).map(|index| index as u8 | 1).collect();
            // Alike for the comparison, so that it looks at all; else such that nothing of a result is there before.
            let before = if name == "compare" { source.clone() } else { vec![0; size] };
            let mut target = before.clone();
            group.throughput(Throughput::Bytes(size as u64));
            for threads in [1, 2] {
                target.copy_from_slice(&before);
                let job = make(Bytes::from_mut(&mut target), Bytes::from_mut(&mut source));
                run(&job, threads);
                assert_eq!(job.done_bytes(), size as u64);
                let order = job.order();
                assert!(check(order, &target, &source), "{name} of {label} by {threads} threads");
                let (range, other) = (Bytes::from_mut(&mut target), Bytes::from_mut(&mut source));
                group.bench_function(BenchmarkId::new(format!("by {threads}"), label), |bencher| {
                    bencher.iter(|| run(&make(black_box(range), black_box(other)), threads));
                });
            }
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = jobs
}
