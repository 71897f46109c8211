//! The tracker alone: what every allocation pays for being known.
//!
//! Each body is asserted once before it is timed. Records take turns, so that none is spent within a run.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group};
use offheap_core::tracker::record::Birth;
use offheap_core::tracker::stack::Links;
use offheap_core::tracker::state::{AlignmentCode, Extent, Handle, Origin, Owner, Place, Slot};
use offheap_core::tracker::table::Tracker;

/// Records that take turns: 64 times 2^28 lives outlast every run.
const TURNS: usize = 64;

pub fn birth(size: u64) -> Birth {
    Birth {
        extent: Extent { size, label: 1 },
        origin: Origin { born_ms: size, owner: Owner::block(1) },
        alignment: AlignmentCode::WORD,
    }
}

/// Takes so many records and binds them to memory, which nobody looks at.
pub fn bind(tracker: &Tracker, count: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    while slots.len() < count {
        let chain = tracker.take((count - slots.len()) as u32).unwrap();
        tracker.walk(chain, |slot| slots.push(slot));
    }
    for slot in &slots {
        tracker.bind(*slot, Place { span: slot.0 >> 8, offset: (slot.0 & 0xff) << 20, class: 0 }, 0);
    }
    slots
}

/// A tracker with so many bound records.
fn bound(count: usize) -> (Tracker, Vec<Slot>) {
    let tracker = Tracker::default();
    let slots = bind(&tracker, count);
    (tracker, slots)
}

/// What one allocation and its free do to a record, look-ups included.
pub fn begin_and_end(tracker: &Tracker, slot: Slot, size: u64) -> Handle {
    let (generation, _) = tracker.shared(slot).unwrap().begin(birth(size)).unwrap();
    let handle = Handle { slot, generation };
    tracker.shared(handle.slot).unwrap().end(handle.generation).unwrap();
    handle
}

fn pairs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tracker/pair");
    group.measurement_time(Duration::from_secs(3));
    let (tracker, slots) = bound(TURNS);
    let handle = begin_and_end(&tracker, slots[0], 8);
    assert!(tracker.live(handle).is_err() && tracker.check().is_ok());

    let mut turn = 0;
    group.bench_function("begin + end", |bencher| {
        bencher.iter(|| {
            turn = (turn + 1) % TURNS;
            black_box(begin_and_end(&tracker, slots[turn], black_box(100)))
        });
    });
    let counter = tracker.counters.counter();
    group.bench_function("begin + end, counted", |bencher| {
        bencher.iter(|| {
            turn = (turn + 1) % TURNS;
            counter.allocated(black_box(100));
            let handle = begin_and_end(&tracker, slots[turn], 100);
            counter.freed(100);
            black_box(handle)
        });
    });
    let live = tracker.shared(slots[0]).unwrap().begin(birth(1)).unwrap().0;
    group.bench_function("pin + unpin", |bencher| {
        bencher.iter(|| {
            let record = tracker.shared(black_box(slots[0])).unwrap();
            record.pin(live).unwrap();
            record.unpin(live).unwrap();
        });
    });
    group.finish();
}

fn chains(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tracker/take + give");
    for count in [1_u32, 32, 64] {
        let tracker = Tracker::default();
        tracker.give(tracker.take(count).unwrap());
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let chain = tracker.take(black_box(count)).unwrap();
                debug_assert_eq!(chain.count, count);
                tracker.give(chain);
            });
        });
        assert!(tracker.check().is_ok());
    }
    group.finish();
}

fn scans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tracker/scan");
    for count in [1000_usize, 50_000] {
        let (tracker, slots) = bound(count);
        for slot in &slots {
            let _ = tracker.shared(*slot).unwrap().begin(birth(64)).unwrap();
        }
        let rows = || {
            let mut rows = 0;
            tracker.scan(|_| rows += 1);
            rows
        };
        assert_eq!(rows(), count);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| bencher.iter(rows));
    }
    group.finish();
}

fn growth(criterion: &mut Criterion) {
    criterion.bench_function("tracker/first record of a tracker", |bencher| {
        // Segments are never unmapped: few iterations.
        bencher.iter_batched(
            Tracker::default,
            |tracker| tracker.take(1).unwrap(),
            BatchSize::NumIterations(16),
        );
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = pairs, chains, scans, growth
}
