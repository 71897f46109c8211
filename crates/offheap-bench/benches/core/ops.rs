//! Memory operations next to plain libc, in bytes of payload per second.
//!
//! Both buffers are written once before anything is timed, so that no page fault is measured, and each
//! operation's result is asserted first. From 32 MiB on the figures are those of the memory bus, shared
//! with whatever else the machine does: compare them within one run only.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group};
use offheap_core::ops::{self, CopyMode, Element, Pattern};
use offheap_core::raw::bytes::Bytes;

unsafe extern "C" {
    fn memcpy(target: *mut c_void, source: *const c_void, size: usize) -> *mut c_void;
    fn memset(target: *mut c_void, value: c_int, size: usize) -> *mut c_void;
    fn memcmp(one: *const c_void, other: *const c_void, size: usize) -> c_int;
}

/// Inside L1, a page, L2, memory.
const SIZES: [(&str, usize); 5] =
    [("64B", 64), ("4KiB", 4 << 10), ("64KiB", 64 << 10), ("1MiB", 1 << 20), ("64MiB", 64 << 20)];

/// Times each operation at each size; `prepare` gives the two buffers their contents.
fn for_each_size(
    criterion: &mut Criterion,
    name: &str,
    bench: impl Fn(&mut BenchmarkGroup<'_, WallTime>, &str, &mut [u8], &mut [u8]),
) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (label, size) in SIZES {
        // Not zeroes: those would come as untouched pages.
        let (mut target, mut source) = (vec![1; size], vec![2; size]);
        group.throughput(Throughput::Bytes(size as u64));
        bench(&mut group, label, &mut target, &mut source);
    }
    group.finish();
}

/// Times one copy mode.
fn bench_mode(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (name, label): (&str, &str),
    (target, source): (&mut [u8], &mut [u8]),
    mode: CopyMode,
) {
    let (target, source) = (Bytes::from_mut(target), Bytes::from_mut(source));
    group.bench_function(BenchmarkId::new(name, label), |bencher| {
        bencher.iter(|| ops::copy(black_box(target), black_box(source), mode).unwrap());
    });
}

/// Times memcpy.
fn bench_memcpy(group: &mut BenchmarkGroup<'_, WallTime>, label: &str, target: &mut [u8], source: &[u8]) {
    group.bench_function(BenchmarkId::new("libc", label), |bencher| {
        bencher.iter(|| {
            let (target, source, size) = (black_box(&mut *target), black_box(source), source.len());
            // SAFETY: - both are that long. - two vectors do not overlap.
            unsafe { memcpy(target.as_mut_ptr().cast(), source.as_ptr().cast(), size) }
        });
    });
}

fn bench_copy(criterion: &mut Criterion) {
    for_each_size(criterion, "copy", |group, label, target, source| {
        for (name, mode) in [("offheap", CopyMode::Normal), ("offheap-non-temporal", CopyMode::NonTemporal)] {
            target.fill(0);
            assert_eq!(ops::copy(Bytes::from_mut(target), Bytes::from_mut(source), mode), Ok(()));
            assert!(target == source);
            bench_mode(group, (name, label), (target, source), mode);
        }
        bench_memcpy(group, label, target, source);
    });
}

fn bench_swap(criterion: &mut Criterion) {
    for_each_size(criterion, "swap", |group, label, target, source| {
        for (index, byte) in source.iter_mut().enumerate() {
            *byte = index as u8;
        }
        for element in Element::ALL {
            let mode = CopyMode::SwapEndian(element);
            assert_eq!(ops::copy(Bytes::from_mut(target), Bytes::from_mut(source), mode), Ok(()));
            assert!(target.chunks(element.bytes()).flat_map(|bytes| bytes.iter().rev()).eq(&*source));
            bench_mode(group, (&format!("offheap-{}", element.bytes()), label), (target, source), mode);
        }
        bench_memcpy(group, label, target, source);
    });
}

fn bench_swap_in_place(criterion: &mut Criterion) {
    for_each_size(criterion, "swap in place", |group, label, target, source| {
        for (index, byte) in source.iter_mut().enumerate() {
            *byte = index as u8;
        }
        for element in Element::ALL {
            let mode = CopyMode::SwapEndian(element);
            target.copy_from_slice(source);
            let range = Bytes::from_mut(target);
            assert_eq!(ops::copy(range, range, mode), Ok(()));
            assert!(target.chunks(element.bytes()).flat_map(|bytes| bytes.iter().rev()).eq(&*source));
            let range = Bytes::from_mut(target);
            group.bench_function(
                BenchmarkId::new(format!("offheap-{}", element.bytes()), label),
                |bencher| {
                    bencher.iter(|| ops::copy(black_box(range), black_box(range), mode).unwrap());
                },
            );
        }
    });
}

fn bench_fill(criterion: &mut Criterion) {
    for_each_size(criterion, "fill", |group, label, target, _| {
        for length in [1, 2, 4, 8, 16] {
            let bytes = &[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3][..length];
            let pattern = Pattern::repeated(bytes).unwrap();
            ops::fill(Bytes::from_mut(target), pattern);
            assert!(target.iter().eq(bytes.iter().cycle().take(target.len())));
            let range = Bytes::from_mut(target);
            let name = if length == 1 { "offheap".to_owned() } else { format!("offheap-pattern{length}") };
            group.bench_function(BenchmarkId::new(name, label), |bencher| {
                bencher.iter(|| ops::fill(black_box(range), black_box(pattern)));
            });
        }
        group.bench_function(BenchmarkId::new("libc", label), |bencher| {
            bencher.iter(|| {
                let target = black_box(&mut *target);
                // SAFETY: - writable: a slice of ours.
                unsafe { memset(target.as_mut_ptr().cast(), 5, target.len()) }
            });
        });
    });
}

/// Times a question about two ranges.
fn bench_question<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (name, label): (&str, &str),
    (one, other): (Bytes<'_>, Bytes<'_>),
    ask: impl Fn(Bytes<'_>, Bytes<'_>) -> T,
) {
    group.bench_function(BenchmarkId::new(name, label), |bencher| {
        bencher.iter(|| ask(black_box(one), black_box(other)));
    });
}

/// Two ranges that differ in their last byte alone: all of them has to be looked at.
fn bench_compare(criterion: &mut Criterion) {
    for_each_size(criterion, "compare", |group, label, one, other| {
        one.copy_from_slice(other);
        *one.last_mut().unwrap() += 1;
        let (first, second) = (Bytes::from_mut(one), Bytes::from_mut(other));
        assert_eq!(ops::compare(first, second), Ok(std::cmp::Ordering::Greater));
        assert_eq!(ops::mismatch(first, second), Ok(Some(first.size() - 1)));
        assert!(!ops::equals(first, second) && ops::equals(first, first));
        let both = (first, second);
        bench_question(group, ("offheap", label), both, |one, other| ops::compare(one, other).unwrap());
        bench_question(group, ("offheap-mismatch", label), both, |one, other| {
            ops::mismatch(one, other).unwrap()
        });
        group.bench_function(BenchmarkId::new("libc", label), |bencher| {
            bencher.iter(|| {
                let (one, other) = (black_box(&*one), black_box(&*other));
                // SAFETY: - readable: both are that long.
                unsafe { memcmp(one.as_ptr().cast(), other.as_ptr().cast(), one.len()) }
            });
        });
    });
}

criterion_group!(benches, bench_copy, bench_swap, bench_swap_in_place, bench_fill, bench_compare);
